{{/* What each engine is to Kubernetes. Both speak Text Embeddings Inference on port 8085. */}}

{{- define "embeddings.local" -}}
image: {{ toYaml .Values.image | nindent 2 }}
args: [python, -m, pilothouse_model_server, embeddings]
env:
  MODEL_KEY: {{ include "common.modelKey" (list . "embeddings") | nindent 4 }}
  PILOTHOUSE_AUTH_API_KEYS: pilothouse:$(MODEL_KEY)
  PILOTHOUSE_SERVER_PORT: "8085"
  PILOTHOUSE_SERVER_GRACE: {{ sub .Values.terminationGracePeriodSeconds 10 | quote }}
  {{- if include "embeddings.folder" . }}
  PILOTHOUSE_ONNX_PATH: {{ include "embeddings.folder" . }}
  PILOTHOUSE_ONNX_NAME: {{ .Values.model.name | default (base .Values.model.path) | quote }}
  {{- end }}
probes:
  {{- include "common.httpProbes" (dict "startupSeconds" 1800) | nindent 2 }}
{{- end }}

{{- define "embeddings.tei" -}}
{{- $variant := toString .Values.tei.variant | trimPrefix "ampere-80" -}}
{{- $tag := .Values.tei.image.tag | default (printf "%s-%s" $variant .Values.tei.version | trimPrefix "-") -}}
image: {{ merge (dict "tag" $tag) .Values.tei.image | toYaml | nindent 2 }}
args:
  {{- toYaml .Values.tei.args | nindent 2 }}
env:
  {{- include "common.engineEnv" . | nindent 2 }}
  API_KEY: {{ include "common.modelKey" (list . "embeddings") | nindent 4 }}
  MODEL_ID: {{ include "embeddings.folder" . }}
  SERVED_MODEL_NAME: {{ .Values.model.name | default (base .Values.model.path) | quote }}
  # Kubernetes gives the pod's name to a variable that is meant as an address here.
  HOSTNAME: 0.0.0.0
  PORT: "8085"
  JSON_OUTPUT: "true"
probes:
  {{- include "common.httpProbes" (dict "startupSeconds" 1800 "startup" "/health" "live" "/health" "ready" "/health") | nindent 2 }}
{{- end }}

{{/* The model's values, with the files that ONNX Runtime reads where people name none. Large weights lie beside the model. */}}
{{- define "embeddings.model" -}}
{{- $onnx := list "*.json" "*.txt" "model.onnx" "model.onnx_data" "onnx/model.onnx" "onnx/model.onnx_data" "1_Pooling/*" -}}
{{- $include := .Values.model.include | default (ternary $onnx list (eq .Values.engine "local")) -}}
{{- toYaml (merge (dict "include" $include) .Values.model) -}}
{{- end }}

{{- define "embeddings.folder" -}}
{{- $m := dict "ctx" . "m" (dict "model" (include "embeddings.model" . | fromYaml)) -}}
{{- if include "common.modelWanted" $m }}{{ include "common.modelFolder" $m }}{{ end -}}
{{- end }}
