{{/*
The worker. Its port answers probes and metrics only, so it needs no signing key, and it has none: here the files of
strangers are read.
*/}}
{{- define "ingest.worker" -}}
component: ingest-worker
port: 8084
args: [python, -m, pilothouse_ingest, worker]
{{ include "ingest.common" . }}
env:
  {{- include "ingest.env" . | nindent 2 }}
  PILOTHOUSE_WORKER_PORT: "8084"
  PILOTHOUSE_SERVER_GRACE: {{ sub .Values.worker.terminationGracePeriodSeconds 10 | quote }}
egress:
  {{- include "common.egressToDatabase" (list . .Values.database) | nindent 2 }}
  {{- include "common.egressToURL" (list . (include "common.embeddingURL" (list . .Values.embedding)) "embeddings") | nindent 2 }}
kedaTriggers:
  - type: postgresql
    metadata:
      {{- $db := include "common.databaseOf" (list . .Values.database) | fromYaml }}
      # KEDA asks from its own namespace.
      host: {{ ternary $db.host (printf "%s.%s.svc" $db.host .Release.Namespace) (contains "." $db.host) | quote }}
      port: {{ $db.port | toString | quote }}
      dbName: {{ $db.name | quote }}
      userName: {{ $db.user | quote }}
      # KEDA's pods do not have the database's CA.
      sslmode: {{ ternary "require" $db.sslMode (hasPrefix "verify-" $db.sslMode) }}
      query: >-
        SELECT count(*) FROM jobs.procrastinate_jobs WHERE status IN ('todo', 'doing')
        AND (scheduled_at IS NULL OR scheduled_at <= now())
      targetQueryValue: {{ .Values.worker.autoscaling.keda.threshold | toString | quote }}
    authenticationRef:
      name: {{ include "common.componentName" (list . "ingest-worker") }}
{{- end }}
