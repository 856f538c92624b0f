{{/* Name of the CloudNativePG Cluster. */}}
{{- define "database.cluster" -}}
{{- include "common.componentName" (list . "database") -}}
{{- end }}

{{/* Secret with the password of one role. Call: include "database.roleSecret" (list $ "query") */}}
{{- define "database.roleSecret" -}}
{{- $ctx := index . 0 -}}
{{- tpl (index $ctx.Values.roles.existingSecrets (index . 1)) $ctx | default (printf "%s-%s" (include "database.cluster" $ctx) (index . 1)) -}}
{{- end }}

{{/* How the owner of the database connects, who alone may change the schema. */}}
{{- define "database.owner" -}}
{{- if eq .Values.mode "external" -}}
{{- toYaml .Values.external -}}
{{- else -}}
{{- $cluster := include "database.cluster" . -}}
{{- toYaml (merge (dict "host" (printf "%s-rw" $cluster) "port" 5432 "name" "pilothouse" "user" "pilothouse"
  "existingSecret" (printf "%s-app" $cluster) "passwordKey" "password"
  "sslMode" "verify-full" "caSecret" (printf "%s-ca" $cluster) "caKey" "ca.crt") .Values.external) -}}
{{- end -}}
{{- end }}

{{/* metadata of an object of the cluster. Call: include "database.metadata" (list $ "" ) or (list $ "-backup") */}}
{{- define "database.metadata" -}}
{{- $ctx := index . 0 -}}
metadata:
  name: {{ include "database.cluster" $ctx }}{{ index . 1 }}
  namespace: {{ $ctx.Release.Namespace }}
  labels:
    {{- include "common.labels" (list $ctx "database") | nindent 4 }}
{{- end }}

{{/* Keeps an object when the release is uninstalled. */}}
{{- define "database.keep" -}}
{{- if .Values.keepOnUninstall -}}
helm.sh/resource-policy: keep
{{- end -}}
{{- end }}

{{/* CloudNativePG reads the PostgreSQL version from the tag, so a digest goes behind it. */}}
{{- define "database.image" -}}
{{- $image := omit .Values.image "digest" -}}
{{- include "common.image" (list . $image) -}}{{- with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end }}
