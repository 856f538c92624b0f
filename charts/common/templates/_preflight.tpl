{{/*
Whether to look at the cluster before rendering. Off (`global.preflight: false`) for `helm template`, Argo CD
and others that render away from the cluster.
*/}}
{{- define "common.preflight" -}}
{{- $global := include "common.global" . | fromYaml -}}
{{- if kindIs "bool" $global.preflight }}{{ ternary "yes" "" $global.preflight }}{{ else }}yes{{ end -}}
{{- end }}

{{/*
Stops with a sentence when the cluster does not have a kind of object.
Call: include "common.requireKind" (list $ "keda.sh/v1alpha1/ScaledObject" "KEDA" "what needs it" "the command")
*/}}
{{- define "common.requireKind" -}}
{{- $ctx := index . 0 -}}
{{- if include "common.preflight" $ctx -}}
{{- if not ($ctx.Capabilities.APIVersions.Has (index . 1)) -}}
{{- fail (printf "\n\n%s is not installed in this cluster (there is no %s), but %s. Install it with:\n\n    %s\n\nRendering away from the cluster (helm template, Argo CD)? Add --set global.preflight=false.\n" (index . 2) (index . 1) (index . 3) (index . 4)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Stops with a sentence about values that contradict each other. Call: include "common.refuse" (list "…") */}}
{{- define "common.refuse" -}}
{{- fail (printf "\n\n%s\n" (index . 0)) -}}
{{- end }}

{{/* Options that every workload has. */}}
{{- define "common.validateWorkload" -}}
{{- $o := .o -}}{{- $name := .w.component -}}
{{- if eq $o.autoscaling.engine "keda" -}}
{{- include "common.requireKind" (list .ctx "keda.sh/v1alpha1/ScaledObject" "KEDA" (printf "autoscaling.engine of %s is keda" $name) "helm install keda keda --repo https://kedacore.github.io/charts --namespace keda --create-namespace") -}}
{{- end -}}
{{- if and (eq $o.autoscaling.engine "keda") (not .w.kedaTriggers) (not $o.autoscaling.keda.extraTriggers) -}}
{{- include "common.refuse" (list (printf "%s: autoscaling.engine is keda, and %s has no queue of its own to count. Name a trigger in autoscaling.keda.extraTriggers, or set autoscaling.engine to hpa." $name $name)) -}}
{{- end -}}
{{- if ne $o.autoscaling.engine "none" -}}
{{- if gt (int $o.autoscaling.minReplicas) (int $o.autoscaling.maxReplicas) -}}
{{- include "common.refuse" (list (printf "%s: autoscaling.minReplicas is above autoscaling.maxReplicas. Make it at most %d." $name (int $o.autoscaling.maxReplicas))) -}}
{{- end -}}
{{- if and (eq $o.autoscaling.engine "hpa") (lt (int $o.autoscaling.minReplicas) 1) -}}
{{- include "common.refuse" (list (printf "%s: autoscaling.minReplicas is 0, and without a pod there is no CPU to go by. Set it to 1 or more, or set autoscaling.engine to keda, which may start from nothing." $name)) -}}
{{- end -}}
{{- if and (eq $o.autoscaling.engine "hpa") (not (dig "requests" "cpu" "" ($o.resources | default dict))) -}}
{{- include "common.refuse" (list (printf "%s: autoscaling by CPU needs resources.requests.cpu, which the percentage is of." $name)) -}}
{{- end -}}
{{- end -}}
{{- if and (not (kindIs "invalid" $o.pdb.minAvailable)) (not (kindIs "invalid" $o.pdb.maxUnavailable)) -}}
{{- include "common.refuse" (list (printf "%s: pdb.minAvailable and pdb.maxUnavailable exclude each other. Set one of them to null." $name)) -}}
{{- end -}}
{{- if $o.metrics.serviceMonitor.enabled -}}
{{- include "common.requireKind" (list .ctx "monitoring.coreos.com/v1/ServiceMonitor" "The Prometheus operator" (printf "metrics.serviceMonitor of %s is enabled" $name) "helm install monitoring kube-prometheus-stack --repo https://prometheus-community.github.io/helm-charts --namespace monitoring --create-namespace") -}}
{{- end -}}
{{- end }}
