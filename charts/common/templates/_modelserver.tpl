{{/*
Everything of a model's server: the workload, the volume, the download and claims of GPUs. The chart says what its
engine is: `w` (component, port, image, args, env, probes, from), `engine`, `needsGPU`, `queueMetric`, an `example` of
a model, the `model` with the files that its engine reads, and the `resources` that suit it where people set none.
Call: include "common.modelServer" (dict "ctx" $ "w" $w "engine" … "needsGPU" … and so on)
*/}}
{{- define "common.modelServer" -}}
{{- $ctx := .ctx -}}{{- $component := .w.component -}}
{{- $o := deepCopy $ctx.Values -}}
{{- $_ := set $o "resources" ($o.resources | default .resources) -}}
{{- $_ := set $o "model" .model -}}
{{- $gpu := include "common.gpu" (list $o.gpu .needsGPU) -}}
{{- if $gpu -}}
{{- $o = mergeOverwrite $o (include "common.gpuOptions" (list $ctx $o $component) | fromYaml) -}}
{{- end -}}
{{- $model := dict "ctx" $ctx "m" (dict "component" $component "image" $ctx.Values.image "model" $o.model "cache" $o.cache "download" $o.download "o" $o) -}}
{{- include "common.validateModelServer" (merge (dict "o" $o "gpu" $gpu "model" $model) (omit . "model")) -}}
{{- $pod := include "common.modelPod" $model | fromYaml -}}
{{- $shm := and (ne .engine "local") (list (dict "name" "shm" "emptyDir" (dict "medium" "Memory" "sizeLimit" $o.gpu.shm))) -}}
{{- $w := merge (dict
  "mounts" (concat ($pod.mounts | default list) (ternary (list (dict "name" "shm" "mountPath" "/dev/shm")) list (not (empty $shm))))
  "volumes" (concat ($pod.volumes | default list) ($shm | default list))
  "initContainers" ($pod.initContainers | default list)
  "egress" ($pod.egress | default list)
  "strategy" (include "common.exclusiveStrategy" (dict "o" $o "gpu" $gpu "alone" (include "common.modelOnOneNode" $model)) | fromYaml)
  "kedaTriggers" (include "common.queueTriggers" (dict "ctx" $ctx "metric" .queueMetric "component" $component) | fromYamlArray)) .w -}}
{{- if $gpu -}}
{{- $_ := set $w "resourceClaims" (include "common.gpuClaims" (list $ctx $o $component) | fromYamlArray) -}}
{{- end -}}
{{ include "common.workload" (dict "ctx" $ctx "w" $w "o" $o) }}
{{- include "common.modelObjects" $model }}
{{- if $gpu }}
{{- include "common.gpuClaimTemplates" (list $ctx $o $component) }}
{{- end }}
{{- end }}

{{/* KEDA asks Prometheus how many requests wait. */}}
{{- define "common.queueTriggers" -}}
{{- $queue := .ctx.Values.queue -}}
{{- if $queue.serverAddress -}}
- type: prometheus
  metadata:
    serverAddress: {{ $queue.serverAddress | quote }}
    query: {{ $queue.query | default (printf "sum(%s{namespace=%q,service=%q})" .metric .ctx.Release.Namespace (include "common.componentName" (list .ctx .component))) | quote }}
    threshold: {{ .ctx.Values.autoscaling.keda.threshold | toString | quote }}
    # No answer is not the same as nobody waiting.
    ignoreNullValues: "false"
{{- end -}}
{{- end }}

{{/* The key that callers send. Call: include "common.modelKey" (list $ "inference") */}}
{{- define "common.modelKey" -}}
{{- $ctx := index . 0 -}}
{{- $secret := tpl $ctx.Values.apiKey.existingSecret $ctx -}}
{{- if not $secret -}}
{{- include "common.refuse" (list (printf "%s: apiKey.existingSecret is empty. Make a Secret with the key that callers send, and name it there:\n\n    kubectl create secret generic pilothouse-auth --from-literal=model-key=$(openssl rand -hex 32)" (index . 1))) -}}
{{- end -}}
secret: {{ $secret | quote }}
key: {{ $ctx.Values.apiKey.key }}
{{- end }}

{{/* Directories for engines that write caches below a home directory which they do not have here. */}}
{{- define "common.engineEnv" -}}
HOME: /tmp
# Libraries ask who they are, and nobody has user number 10001.
USER: pilothouse
LOGNAME: pilothouse
XDG_CACHE_HOME: /tmp/cache
XDG_CONFIG_HOME: /tmp/config
HF_HOME: /tmp/huggingface
HUGGINGFACE_HUB_CACHE: /tmp/huggingface/hub
TRITON_CACHE_DIR: /tmp/triton
TORCHINDUCTOR_CACHE_DIR: /tmp/inductor
NUMBA_CACHE_DIR: /tmp/numba
OUTLINES_CACHE_DIR: /tmp/outlines
HF_HUB_OFFLINE: "1"
TRANSFORMERS_OFFLINE: "1"
HF_HUB_DISABLE_TELEMETRY: "1"
DO_NOT_TRACK: "1"
{{- end }}
