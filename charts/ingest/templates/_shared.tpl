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

{{/*
Refuses a /tmp that the largest file does not fit into: the pod would be evicted in the middle of it.
Call: include "ingest.validateTmp" (list $ "api")
*/}}
{{- define "ingest.validateTmp" -}}
{{- $ctx := index . 0 -}}{{- $part := index . 1 -}}
{{- $size := (index $ctx.Values $part).tmpSize | default "1Gi" -}}
{{- $most := include "ingest.maxUploadBytes" $ctx -}}
{{- if lt (include "common.bytes" $size | int64) (int64 $most) -}}
{{- include "common.refuse" (list (printf "ingest: %s.tmpSize is %s, and a file may have %s bytes (global.maxUploadBytes), which are kept there for a while. Raise %s.tmpSize, or lower global.maxUploadBytes." $part $size $most $part)) -}}
{{- end -}}
{{- end }}
