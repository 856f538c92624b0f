{{/* What the API and the worker have in common. */}}
{{- define "ingest.env" -}}
{{ include "common.databaseEnv" (list . .Values.database) }}
{{ include "common.embeddingEnv" (list . .Values.embedding) }}
PILOTHOUSE_UPLOAD_MAX_BYTES: {{ include "ingest.maxUploadBytes" . | quote }}
{{- end }}

{{- define "ingest.common" -}}
waitForSchema: true
schemaEnv:
  {{- include "common.databaseEnv" (list . .Values.database) | nindent 2 }}
schemaMounts:
  {{- include "common.databaseMounts" (list . .Values.database) | nindent 2 }}
mounts:
  {{- include "common.databaseMounts" (list . .Values.database) | nindent 2 }}
volumes:
  {{- include "common.databaseVolumes" (list . .Values.database) | nindent 2 }}
probes:
  {{- include "common.httpProbes" dict | nindent 2 }}
{{- end }}

{{- define "ingest.maxUploadBytes" -}}
{{- (include "common.global" . | fromYaml).maxUploadBytes | default 104857600 | int64 -}}
{{- end }}
