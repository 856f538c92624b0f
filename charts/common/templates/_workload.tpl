{{/*
Everything that a long-running component consists of: Deployment, Service, ServiceAccount, NetworkPolicy,
disruption budget, autoscaler and ServiceMonitor.
Call: include "common.workload" (dict "ctx" $ "w" $w "o" $options)
*/}}
{{- define "common.workload" -}}
{{- include "common.validateWorkload" . -}}
{{ include "common.deployment" . }}
---
{{ include "common.serviceAccount" . }}
{{- if .w.port }}
---
{{ include "common.service" . }}
{{- end }}
{{- if .o.networkPolicy.enabled }}
---
{{ include "common.networkPolicy" . }}
{{- end }}
{{- include "common.podDisruptionBudget" . }}
{{- include "common.autoscaler" . }}
{{- include "common.serviceMonitor" . }}
{{- end }}

{{/* metadata of an object of a component */}}
{{- define "common.metadata" -}}
metadata:
  name: {{ include "common.componentName" (list .ctx .w.component) }}
  namespace: {{ .ctx.Release.Namespace }}
  labels:
    {{- include "common.labels" (list .ctx .w.component) | nindent 4 }}
{{- end }}

{{- define "common.deployment" -}}
{{- $ctx := .ctx -}}{{- $w := .w -}}{{- $o := .o -}}
apiVersion: apps/v1
kind: Deployment
{{ include "common.metadata" . }}
  {{- with $o.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if eq $o.autoscaling.engine "none" }}
  replicas: {{ $o.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  # A pod may wait for a restore or a large download; a Deployment past its deadline counts as failed.
  progressDeadlineSeconds: 3600
  strategy:
    {{- with $o.strategy }}
    {{- toYaml . | nindent 4 }}
    {{- else }}
    {{- toYaml ($w.strategy | default (dict "type" "RollingUpdate" "rollingUpdate" (dict "maxUnavailable" 0 "maxSurge" 1))) | nindent 4 }}
    {{- end }}
  selector:
    matchLabels:
      {{- include "common.selectorLabels" (list $ctx $w.component) | nindent 6 }}
  template:
    {{- include "common.podTemplate" . | nindent 4 }}
{{- end }}

{{- define "common.service" -}}
apiVersion: v1
kind: Service
{{ include "common.metadata" . }}
  {{- with .o.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .o.service.type }}
  selector:
    {{- include "common.selectorLabels" (list .ctx .w.component) | nindent 4 }}
  ports:
    - name: http
      port: {{ .w.port }}
      targetPort: http
      {{- with .o.service.nodePort }}
      nodePort: {{ . }}
      {{- end }}
      appProtocol: http
{{- end }}

{{- define "common.serviceAccountName" -}}
{{- $o := index . 2 -}}
{{- ($o.serviceAccount | default dict).name | default (include "common.componentName" (list (index . 0) (index . 1))) -}}
{{- end }}

{{- define "common.serviceAccount" -}}
{{- if not (.o.serviceAccount | default dict).name -}}
apiVersion: v1
kind: ServiceAccount
{{ include "common.metadata" . }}
  {{- with (.o.serviceAccount | default dict).annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}
{{- end }}
