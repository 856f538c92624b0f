{{/*
A Job whose name ends with a digest of its content: its template is immutable, and so is the queue that a label of it
names; a changed one is a new Job.
It is an ordinary object and no hook, so `--wait`, rollback, Argo CD and `kubectl apply` all treat it alike.
Call: include "common.job" (dict "ctx" $ "w" $w "o" $options); w.job holds fields of its spec, such as backoffLimit.
*/}}
{{- define "common.job" -}}
{{- $spec := include "common.jobSpec" . -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ printf "%s-%s" (include "common.componentName" (list .ctx .w.component)) (include "common.jobDigest" (list $spec .w)) }}
  namespace: {{ .ctx.Release.Namespace }}
  labels:
    {{- include "common.labels" (list .ctx .w.component) | nindent 4 }}
    {{- with .w.jobLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- $spec | nindent 2 }}
{{- end }}

{{/* Call: include "common.jobDigest" (list $spec $w) */}}
{{- define "common.jobDigest" -}}
{{- $labels := (index . 1).jobLabels -}}
{{- print (index . 0) (ternary (toJson $labels) "" (not (empty $labels))) | sha256sum | trunc 8 -}}
{{- end }}

{{- define "common.jobSpec" -}}
{{- $job := .w.job | default dict -}}
backoffLimit: {{ $job.backoffLimit | default 10 }}
{{- range $key := list "activeDeadlineSeconds" "ttlSecondsAfterFinished" "parallelism" "completions" "completionMode" "backoffLimitPerIndex" "suspend" }}
{{- if hasKey $job $key }}
{{- /* Read from YAML, numbers are floating-point ones, and a million seconds would be written as 1e+06. */}}
{{ $key }}: {{ index $job $key | toJson }}
{{- end }}
{{- end }}
{{- with $job.podFailurePolicy }}
podFailurePolicy:
  {{- toYaml . | nindent 2 }}
{{- end }}
template:
  {{- include "common.podTemplate" . | nindent 2 }}
{{- end }}
