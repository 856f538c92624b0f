{{/* The API: nothing but the database is reached from it. */}}
{{- define "ingest.api" -}}
component: ingest
port: 8081
args: [python, -m, pilothouse_ingest, api]
{{ include "ingest.common" . }}
env:
  {{- include "ingest.env" . | nindent 2 }}
  {{- include "common.authEnv" (list . .Values.auth) | nindent 2 }}
  PILOTHOUSE_SERVER_PORT: "8081"
  PILOTHOUSE_SERVER_GRACE: {{ sub .Values.api.terminationGracePeriodSeconds 10 | quote }}
from: [chat-ui]
egress:
  {{- include "common.egressToDatabase" (list . .Values.database) | nindent 2 }}
{{- end }}
