{{/*
Whether a pod gets a GPU: as the values say, or else what the engine needs.
Call: include "common.gpu" (list .Values.gpu $needed)
*/}}
{{- define "common.gpu" -}}
{{- $gpu := index . 0 -}}
{{- if ternary $gpu.enabled (index . 1) (kindIs "bool" $gpu.enabled) }}yes{{ end -}}
{{- end }}

{{/*
What the options of a workload become with a GPU: resources, where it runs, how it is replaced.
Call: include "common.gpuOptions" (list $ $options $component) | fromYaml, and lay it over the options.
*/}}
{{- define "common.gpuOptions" -}}
{{- $ctx := index . 0 -}}{{- $o := index . 1 -}}{{- $gpu := $o.gpu -}}
{{- $resources := deepCopy ($o.resources | default dict) -}}
{{- $claims := include "common.gpuClaims" . | fromYamlArray -}}
{{- if $claims -}}
{{- $names := list -}}
{{- range $claims -}}{{- $names = append $names (dict "name" .name) -}}{{- end -}}
{{- $_ := set $resources "claims" $names -}}
{{- else -}}
{{- $ask := dict $gpu.resourceName (toString $gpu.count) -}}
{{- $_ := set $resources "limits" (merge (deepCopy $ask) ($resources.limits | default dict)) -}}
{{- $_ := set $resources "requests" (merge $ask ($resources.requests | default dict)) -}}
{{- end -}}
{{- $taint := ternary "nvidia.com/gpu" $gpu.resourceName (hasPrefix "nvidia.com/" $gpu.resourceName) -}}
{{- $tolerations := ternary $gpu.tolerations (list (dict "key" $taint "operator" "Exists" "effect" "NoSchedule")) (kindIs "slice" $gpu.tolerations) -}}
resources:
  {{- toYaml $resources | nindent 2 }}
nodeSelector:
  {{- toYaml (merge (deepCopy ($gpu.nodeSelector | default dict)) ($o.nodeSelector | default dict)) | nindent 2 }}
tolerations:
  {{- toYaml (concat ($o.tolerations | default list) $tolerations) | nindent 2 }}
runtimeClassName: {{ $gpu.runtimeClassName | default $o.runtimeClassName | quote }}
priorityClassName: {{ $gpu.priorityClassName | default $o.priorityClassName | quote }}
{{- end }}

{{/* Claims of dynamic resource allocation, those of our own templates among them. */}}
{{- define "common.gpuClaims" -}}
{{- $ctx := index . 0 -}}{{- $gpu := (index . 1).gpu -}}{{- $component := index . 2 -}}
{{- $claims := $gpu.resourceClaims -}}
{{- range $name, $_ := $gpu.resourceClaimTemplates -}}
{{- $claims = append $claims (dict "name" $name "resourceClaimTemplateName" (printf "%s-%s" (include "common.componentName" (list $ctx $component)) $name)) -}}
{{- end -}}
{{- toYaml $claims -}}
{{- end }}

{{/* The ResourceClaimTemplates themselves. Call: include "common.gpuClaimTemplates" (list $ $options "inference") */}}
{{- define "common.gpuClaimTemplates" -}}
{{- $ctx := index . 0 -}}{{- $component := index . 2 -}}
{{- range $name, $spec := (index . 1).gpu.resourceClaimTemplates }}
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata:
  name: {{ include "common.componentName" (list $ctx $component) }}-{{ $name }}
  namespace: {{ $ctx.Release.Namespace }}
  labels:
    {{- include "common.labels" (list $ctx $component) | nindent 4 }}
spec:
  spec:
    {{- toYaml $spec | nindent 4 }}
{{- end }}
{{- end }}

{{/*
How pods are replaced: a card that is in use cannot be given to the next pod, and a volume that one node
holds alone cannot be mounted by another. Call: include "common.exclusiveStrategy" (dict "o" $o "gpu" "yes" "alone" "")
*/}}
{{- define "common.exclusiveStrategy" -}}
{{- $several := gt (int (include "common.minReplicas" .o)) 1 -}}
{{- if or .alone (and .gpu (not $several)) -}}
type: Recreate
{{- else if .gpu -}}
type: RollingUpdate
rollingUpdate: {maxSurge: 0, maxUnavailable: 1}
{{- end -}}
{{- end }}

{{/* Stops when nodes can be read and none offers what is asked for. */}}
{{- define "common.requireGPU" -}}
{{- $ctx := index . 0 -}}{{- $o := index . 1 -}}{{- $component := index . 2 -}}
{{- $gpu := $o.gpu -}}
{{- if $gpu.resourceClaimTemplates -}}
{{- include "common.requireKind" (list $ctx "resource.k8s.io/v1/ResourceClaimTemplate" "Kubernetes 1.34 or newer with dynamic resource allocation" (printf "gpu.resourceClaimTemplates of %s is set" $component) "kubectl get deviceclasses    (lists what can be claimed)") -}}
{{- end -}}
{{- if and (include "common.preflight" $ctx) (not (include "common.gpuClaims" . | fromYamlArray)) -}}
{{- $nodes := (include "common.lookup, which --set global.preflight=false skips" (list "v1" "Node") | fromYaml).items -}}
{{- if kindIs "slice" $nodes -}}
{{- $offers := dict -}}{{- $most := 0 -}}
{{- range $nodes -}}
{{- range $name, $count := dig "status" "allocatable" dict . -}}
{{- if and (contains "/" $name) (ne (toString $count) "0") -}}{{- $_ := set $offers $name "" -}}{{- end -}}
{{- if eq $name $gpu.resourceName -}}{{- $most = max $most (int (toString $count)) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if lt (int $most) (int $gpu.count) -}}
{{- $has := ternary (printf "They offer: %s." (keys $offers | sortAlpha | join ", ")) "They offer no cards at all." (not (empty $offers)) -}}
{{- include "common.refuse" (list (printf "%s asks for %v of %s on one node, but the largest of the %d nodes has %v. %s\nInstall the device plugin of the cards (for NVIDIA: helm install gpu-operator gpu-operator --repo https://helm.ngc.nvidia.com/nvidia --namespace gpu-operator --create-namespace), correct %s.gpu.resourceName or gpu.count, or take %s.engine=local, which needs none.\nDo nodes with cards start only when a pod wants them? Then add --set global.preflight=false." $component $gpu.count $gpu.resourceName (len $nodes) $most $has $component $component)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
