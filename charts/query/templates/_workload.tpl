{{/* What the query service is; the library makes the objects of it. */}}
{{- define "query.workload" -}}
{{- $url := tpl .Values.model.url . | required "model.url is empty: name the language model's server, for example --set model.url=http://tgi:8083" -}}
{{- $embedding := include "common.embeddingURL" (list . .Values.embedding) -}}
component: query
port: 8082
waitForSchema: true
args: [python, -m, pilothouse_query]
{{- $database := include "common.databaseEnv" (list . .Values.database) }}
schemaEnv:
  {{- $database | nindent 2 }}
schemaMounts:
  {{- include "common.databaseMounts" (list . .Values.database) | nindent 2 }}
env:
  {{- $database | nindent 2 }}
  {{- include "common.authEnv" (list . .Values.auth) | nindent 2 }}
  PILOTHOUSE_SERVER_PORT: "8082"
  PILOTHOUSE_SERVER_GRACE: {{ sub .Values.terminationGracePeriodSeconds 10 | quote }}
  PILOTHOUSE_MODEL_URL: {{ $url | quote }}
  PILOTHOUSE_CHAT_STYLE: {{ .Values.model.style }}
  {{- if eq .Values.model.style "quote" }}
  # Two cores read some 250 tokens of a prompt a second.
  PILOTHOUSE_CHAT_CONTEXT_TOKENS: "500"
  PILOTHOUSE_CHAT_HISTORY_TOKENS: "0"
  {{- end }}
  {{- with .Values.model.name }}
  PILOTHOUSE_MODEL_NAME: {{ . | quote }}
  {{- end }}
  {{- with .Values.model.existingSecret }}
  PILOTHOUSE_MODEL_KEY: {secret: {{ . | quote }}, key: {{ $.Values.model.key }}}
  {{- end }}
  {{- include "common.embeddingEnv" (list . .Values.embedding) | nindent 2 }}
  {{- with tpl .Values.rerank.url . }}
  PILOTHOUSE_RERANK_URL: {{ . | quote }}
  {{- end }}
  {{- with .Values.rerank.existingSecret }}
  PILOTHOUSE_RERANK_KEY: {secret: {{ . | quote }}, key: {{ $.Values.rerank.key }}}
  {{- end }}
probes:
  {{- include "common.httpProbes" dict | nindent 2 }}
mounts:
  {{- include "common.databaseMounts" (list . .Values.database) | nindent 2 }}
volumes:
  {{- include "common.databaseVolumes" (list . .Values.database) | nindent 2 }}
from: [chat-ui]
egress:
  {{- include "common.egressToDatabase" (list . .Values.database) | nindent 2 }}
  {{- include "common.egressToURL" (list . $url "inference") | nindent 2 }}
  {{- include "common.egressToURL" (list . $embedding "embeddings") | nindent 2 }}
  {{- include "common.egressToURL" (list . .Values.rerank.url "rerank") | nindent 2 }}
{{- end }}
