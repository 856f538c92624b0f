{{/* Pilothouse's own model server, on the processor. */}}
{{- define "embeddings.local" -}}
component: embeddings
port: 8085
args: [python, -m, pilothouse_model_server, embeddings]
env:
  PILOTHOUSE_SERVER_PORT: "8085"
  PILOTHOUSE_SERVER_GRACE: {{ sub .Values.terminationGracePeriodSeconds 10 | quote }}
  # Expanded by Kubernetes: the key of whom the server answers.
  MODEL_KEY: {secret: {{ tpl .Values.apiKey.existingSecret . | required "apiKey.existingSecret is empty: name the Secret that holds the key of the model server" | quote }}, key: {{ .Values.apiKey.key }}}
  PILOTHOUSE_AUTH_API_KEYS: "pilothouse:$(MODEL_KEY)"
probes:
  {{- include "common.httpProbes" dict | nindent 2 }}
from: [query, ingest-worker, ingest-bulk]
{{- end }}
