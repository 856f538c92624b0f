{{/* Values of a model's server that contradict each other, and a cluster without what they need. */}}
{{- define "common.validateModelServer" -}}
{{- $name := .w.component -}}{{- $auto := .o.autoscaling -}}
{{- if and (eq .engine "local") .gpu -}}
{{- include "common.refuse" (list (printf "%s: gpu.enabled is true, but the engine `local` computes on the CPU. Choose another engine, or set gpu.enabled to false." $name)) -}}
{{- end -}}
{{- if and (ne .engine "local") (not (include "common.modelWanted" .model)) -}}
{{- include "common.refuse" (list (printf "%s: the engine %s needs a model. Name one, for example --set %s.model.name=%s" $name .engine $name .example)) -}}
{{- end -}}
{{- if and .gpu (eq $auto.engine "hpa") -}}
{{- include "common.refuse" (list (printf "%s: the CPU says nothing about how busy a GPU is. Set autoscaling.engine to keda, which counts waiting requests." $name)) -}}
{{- end -}}
{{- if and (eq $auto.engine "keda") (not .o.queue.serverAddress) (not $auto.keda.extraTriggers) -}}
{{- include "common.refuse" (list (printf "%s: autoscaling.engine is keda, but nobody knows how many requests wait. Name a Prometheus in queue.serverAddress, for example http://prometheus.monitoring:9090." $name)) -}}
{{- end -}}
{{- if and (eq $auto.engine "keda") (eq (int $auto.minReplicas) 0) (not $auto.keda.extraTriggers) -}}
{{- include "common.refuse" (list (printf "%s: without any pod nobody counts the waiting requests, so none would ever start. Set autoscaling.minReplicas to 1, or add a trigger that does not depend on the pods in autoscaling.keda.extraTriggers." $name)) -}}
{{- end -}}
{{- include "common.validateModel" .model -}}
{{- if .gpu -}}
{{- include "common.requireGPU" (list .ctx .o $name) -}}
{{- end -}}
{{- end }}

{{/* Values about a model that contradict each other. */}}
{{- define "common.validateModel" -}}
{{- $name := .m.component -}}{{- $cache := .m.cache -}}{{- $auto := .m.o.autoscaling -}}
{{- if and .m.model.path (not $cache.existingClaim) -}}
{{- include "common.refuse" (list (printf "%s: model.path says that the model is on a volume already, but cache.existingClaim names none. Name the claim that holds it." $name)) -}}
{{- end -}}
{{- if and .m.model.path (not $cache.enabled) -}}
{{- include "common.refuse" (list (printf "%s: model.path says that the model is on a volume, but cache.enabled is false. Set it to true." $name)) -}}
{{- end -}}
{{- $most := int (ternary .m.o.replicas $auto.maxReplicas (eq $auto.engine "none")) -}}
{{- if and (include "common.modelOnOneNode" .) (gt $most 1) -}}
{{- include "common.refuse" (list (printf "%s: up to %d replicas share one volume, which with cache.accessMode ReadWriteOnce only one node can mount. Set cache.accessMode to ReadWriteMany with a storage class that allows it, name a claim in cache.existingClaim, or keep to one replica." $name $most)) -}}
{{- end -}}
{{- if and (include "common.modelWanted" .) $cache.enabled (not $cache.existingClaim) -}}
{{- include "common.requireStorage" (list .ctx (printf "%s.cache" $name) $cache.storageClass $cache.accessMode) -}}
{{- end -}}
{{- end }}
