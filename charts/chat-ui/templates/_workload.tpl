{{- define "chat-ui.workload" -}}
{{- $query := tpl .Values.upstream.query . | required "upstream.query is empty: name the query service, for example --set upstream.query=http://query:8082" -}}
{{- $ingest := tpl .Values.upstream.ingest . | required "upstream.ingest is empty: name the ingest service, for example --set upstream.ingest=http://ingest:8081" -}}
{{- $auth := .Values.auth -}}
component: chat-ui
port: 8080
waitForSchema: true
args: [python, -m, pilothouse_chat_ui]
{{- $database := include "common.databaseEnv" (list . .Values.database) }}
schemaEnv:
  {{- $database | nindent 2 }}
schemaMounts:
  {{- include "common.databaseMounts" (list . .Values.database) | nindent 2 }}
env:
  {{- $database | nindent 2 }}
  {{- include "common.authEnv" (list . $auth) | nindent 2 }}
  PILOTHOUSE_SERVER_PORT: "8080"
  PILOTHOUSE_SERVER_GRACE: {{ sub .Values.terminationGracePeriodSeconds 10 | quote }}
  PILOTHOUSE_UPLOAD_MAX_BYTES: {{ (include "common.global" . | fromYaml).maxUploadBytes | default 104857600 | int64 | quote }}
  PILOTHOUSE_UPSTREAM_QUERY: {{ $query | quote }}
  PILOTHOUSE_UPSTREAM_INGEST: {{ $ingest | quote }}
  PILOTHOUSE_AUTH_MODE: {{ $auth.mode }}
  {{- with include "chat-ui.hosts" . }}
  PILOTHOUSE_AUTH_HOSTS: {{ . | quote }}
  {{- end }}
  {{- if eq $auth.mode "proxy" }}
  PILOTHOUSE_AUTH_PROXY_USER_HEADER: {{ $auth.proxy.userHeader | quote }}
  PILOTHOUSE_AUTH_PROXY_GROUPS_HEADER: {{ $auth.proxy.groupsHeader | quote }}
  PILOTHOUSE_AUTH_PROXY_NETWORKS: {{ join "," $auth.proxy.networks | quote }}
  {{- end }}
probes:
  {{- include "common.httpProbes" dict | nindent 2 }}
mounts:
  {{- include "common.databaseMounts" (list . .Values.database) | nindent 2 }}
volumes:
  {{- include "common.databaseVolumes" (list . .Values.database) | nindent 2 }}
from: [selftest]
ingress:
  {{- if eq $auth.mode "proxy" }}
  - ports:
      - port: http
    from:
      {{- toYaml $auth.proxy.from | nindent 6 }}
  {{- else }}
  # The page is for people; who they are is asked behind the port.
  - ports:
      - port: http
  {{- end }}
egress:
  {{- include "common.egressToDatabase" (list . .Values.database) | nindent 2 }}
  {{- include "common.egressToURL" (list . $query "query") | nindent 2 }}
  {{- include "common.egressToURL" (list . $ingest "ingest") | nindent 2 }}
{{- end }}

{{/*
Where nobody signs in, the names that the page answers to: another site could point its own name at an address of the page,
and its scripts would read what is there. Nothing where people may come by names that the chart cannot know.
*/}}
{{- define "chat-ui.hosts" -}}
{{- $service := include "common.componentName" (list . "chat-ui") -}}
{{- $public := list -}}
{{- if .Values.ingress.enabled -}}{{- $public = append $public .Values.ingress.host -}}{{- end -}}
{{- if .Values.route.enabled -}}{{- $public = concat $public (.Values.route.hostnames | default (list "")) -}}{{- end -}}
{{- $known := eq .Values.service.type "ClusterIP" -}}
{{- range $public -}}
{{- if or (not .) (contains "*" .) -}}{{- $known = false -}}{{- end -}}
{{- end -}}
{{- if and (eq .Values.auth.mode "none") $known -}}
{{- $names := list "127.0.0.1" "localhost" "[::1]" $service -}}
{{- range list "" ".svc" ".svc.cluster.local" -}}
{{- $names = append $names (printf "%s.%s%s" $service $.Release.Namespace .) -}}
{{- end -}}
{{- concat $names $public | uniq | join "," -}}
{{- end -}}
{{- end }}
