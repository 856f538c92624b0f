{{/* What each engine is to Kubernetes. All speak OpenAI's chat completions on port 8083. */}}

{{- define "inference.local" -}}
image: {{ toYaml .Values.image | nindent 2 }}
args: [python, -m, pilothouse_model_server, chat]
env:
  MODEL_KEY: {{ include "common.modelKey" (list . "inference") | nindent 4 }}
  PILOTHOUSE_AUTH_API_KEYS: pilothouse:$(MODEL_KEY)
  PILOTHOUSE_SERVER_PORT: "8083"
  PILOTHOUSE_SERVER_GRACE: {{ sub .Values.terminationGracePeriodSeconds 10 | quote }}
  {{- if include "inference.folder" . }}
  PILOTHOUSE_GGUF: {{ include "inference.folder" . }}/{{ .Values.file }}
  {{- end }}
probes:
  {{- include "common.httpProbes" (dict "startupSeconds" 1800) | nindent 2 }}
{{- end }}

{{- define "inference.tgi" -}}
image: {{ toYaml .Values.tgi.image | nindent 2 }}
args:
  {{- toYaml .Values.tgi.args | nindent 2 }}
env:
  {{- include "common.engineEnv" . | nindent 2 }}
  API_KEY: {{ include "common.modelKey" (list . "inference") | nindent 4 }}
  MODEL_ID: {{ include "inference.folder" . }}
  # Kubernetes gives the pod's name to a variable that is meant as an address here.
  HOSTNAME: 0.0.0.0
  PORT: "8083"
  NUM_SHARD: {{ include "inference.shards" . | quote }}
  USAGE_STATS: "off"
  JSON_OUTPUT: "true"
probes:
  {{- include "inference.engineProbes" . | nindent 2 }}
{{- end }}

{{- define "inference.vllm" -}}
image: {{ toYaml .Values.vllm.image | nindent 2 }}
args:
  - {{ include "inference.folder" . }}
  - --served-model-name={{ .Values.model.name | default (base .Values.model.path) }}
  - --host=0.0.0.0
  - --port=8083
  - --tensor-parallel-size={{ include "inference.shards" . }}
  {{- with .Values.vllm.args }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  {{- include "common.engineEnv" . | nindent 2 }}
  VLLM_API_KEY: {{ include "common.modelKey" (list . "inference") | nindent 4 }}
  VLLM_CACHE_ROOT: /tmp/vllm
  VLLM_CONFIG_ROOT: /tmp/vllm-config
  VLLM_NO_USAGE_STATS: "1"
probes:
  {{- include "inference.engineProbes" . | nindent 2 }}
{{- end }}

{{- define "inference.engineProbes" -}}
{{- include "common.httpProbes" (dict "startupSeconds" 1800 "startup" "/health" "live" "/health" "ready" "/health") -}}
{{- end }}

{{/* The model's values, with the files that are wanted of it where people name none. */}}
{{- define "inference.model" -}}
{{- $include := .Values.model.include | default (list .Values.file | compact) -}}
{{- toYaml (merge (dict "include" $include) .Values.model) -}}
{{- end }}

{{- define "inference.folder" -}}
{{- $m := dict "ctx" . "m" (dict "model" (include "inference.model" . | fromYaml)) -}}
{{- if include "common.modelWanted" $m }}{{ include "common.modelFolder" $m }}{{ end -}}
{{- end }}

{{/* The model is spread over all cards of the pod. */}}
{{- define "inference.shards" -}}
{{- ternary .Values.gpu.count 1 (not (empty (include "common.gpu" (list .Values.gpu true)))) -}}
{{- end }}
