{{/* The fewest replicas there may be, whoever decides about them. */}}
{{- define "common.minReplicas" -}}
{{- if eq .autoscaling.engine "none" }}{{ .replicas }}{{ else }}{{ .autoscaling.minReplicas }}{{ end -}}
{{- end }}

{{/*
A disruption budget where more than one replica runs; with a single one it would block every drain.
`pdb.enabled: null` means just that.
*/}}
{{- define "common.podDisruptionBudget" -}}
{{- $several := gt (int (include "common.minReplicas" .o)) 1 -}}
{{- if ternary .o.pdb.enabled $several (kindIs "bool" .o.pdb.enabled) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "common.metadata" . }}
spec:
  {{- if not (kindIs "invalid" .o.pdb.minAvailable) }}
  minAvailable: {{ .o.pdb.minAvailable }}
  {{- else }}
  {{- /* 0 is a number too: whoever says it wants no drain while this runs. */}}
  maxUnavailable: {{ ternary 1 .o.pdb.maxUnavailable (kindIs "invalid" .o.pdb.maxUnavailable) }}
  {{- end }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "common.selectorLabels" (list .ctx .w.component) | nindent 6 }}
{{- end }}
{{- end }}

{{/* HorizontalPodAutoscaler on CPU, or KEDA's ScaledObject on `w.kedaTriggers`. */}}
{{- define "common.autoscaler" -}}
{{- $auto := .o.autoscaling -}}
{{- if eq $auto.engine "hpa" }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
{{ include "common.metadata" . }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "common.componentName" (list .ctx .w.component) }}
  minReplicas: {{ $auto.minReplicas }}
  maxReplicas: {{ $auto.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $auto.targetCPU }}
  {{- with $auto.behavior }}
  behavior:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- else if eq $auto.engine "keda" }}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
{{ include "common.metadata" . }}
spec:
  scaleTargetRef:
    name: {{ include "common.componentName" (list .ctx .w.component) }}
  minReplicaCount: {{ $auto.minReplicas }}
  maxReplicaCount: {{ $auto.maxReplicas }}
  pollingInterval: {{ $auto.keda.pollingInterval }}
  cooldownPeriod: {{ $auto.keda.cooldownPeriod }}
  {{- if gt (int $auto.minReplicas) 0 }}
  # A trigger that cannot be asked must not take away the replicas that are at work.
  fallback:
    failureThreshold: 3
    replicas: {{ $auto.minReplicas }}
    behavior: currentReplicasIfHigher
  {{- end }}
  {{- with $auto.behavior }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- toYaml . | nindent 8 }}
  {{- end }}
  triggers:
    {{- tpl (toYaml (concat (.w.kedaTriggers | default list) ($auto.keda.extraTriggers | default list))) .ctx | nindent 4 }}
{{- end }}
{{- end }}

{{- define "common.serviceMonitor" -}}
{{- $metrics := .o.metrics -}}
{{- if and .w.port $metrics.serviceMonitor.enabled }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
{{ include "common.metadata" . }}
    {{- with $metrics.serviceMonitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "common.selectorLabels" (list .ctx .w.component) | nindent 6 }}
  endpoints:
    - port: http
      path: {{ .w.metricsPath | default "/metrics" }}
      interval: {{ $metrics.serviceMonitor.interval }}
{{- end }}
{{- end }}
