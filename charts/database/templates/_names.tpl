{{/* Name of the CloudNativePG Cluster. */}}
{{- define "database.cluster" -}}
{{- include "common.componentName" (list . "database") -}}
{{- end }}

{{/*
Secret with the password of one role that is there already; empty where one is to be made.
Call: include "database.givenSecret" (list $ "query")
*/}}
{{- define "database.givenSecret" -}}
{{- $ctx := index . 0 -}}{{- $role := index . 1 -}}
{{- $global := include "common.global" $ctx | fromYaml -}}
{{- tpl (index $ctx.Values.roles.existingSecrets $role | default (dig "database" "roleSecrets" $role "" $global)) $ctx -}}
{{- end }}
{{- define "database.roleSecret" -}}
{{- include "database.givenSecret" . | default (printf "%s-%s" (include "database.cluster" (index . 0)) (index . 1)) -}}
{{- end }}

{{/* How the owner of the database connects, who alone may change the schema. */}}
{{- define "database.owner" -}}
{{- $owner := deepCopy .Values.external -}}
{{- if eq .Values.mode "external" -}}
{{- with dig "database" "ownerSecret" "" (include "common.global" . | fromYaml) -}}
{{- $_ := set $owner "existingSecret" ($owner.existingSecret | default .) -}}
{{- end -}}
{{- if $owner.host -}}{{- $_ := set $owner "direct" true -}}{{- end -}}
{{- else -}}
{{- $cluster := include "database.cluster" . -}}
{{- $owner = merge (dict "host" (printf "%s-rw" $cluster) "port" 5432 "name" "pilothouse" "user" "pilothouse"
  "existingSecret" (printf "%s-app" $cluster) "passwordKey" "password"
  "sslMode" "verify-full" "caSecret" (printf "%s-ca" $cluster) "caKey" "ca.crt") $owner -}}
{{- end -}}
{{- toYaml $owner -}}
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

{{/* Annotations of an object that is kept when the release is uninstalled, and others of its own. Call: (list $ dict) */}}
{{- define "database.keptAnnotations" -}}
{{- with merge (ternary (dict "helm.sh/resource-policy" "keep") dict (index . 0).Values.keepOnUninstall) (index . 1) }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{/* CloudNativePG reads the PostgreSQL version from the tag, so a digest goes behind it. */}}
{{- define "database.image" -}}
{{- $image := omit .Values.image "digest" -}}
{{- include "common.image" (list . $image) -}}{{- with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end }}
