{{/* Arguments and environment of the download, in the Job and where each pod downloads for itself. */}}
{{- define "common.modelFetch" -}}
{{- $model := .m.model -}}{{- $download := .m.download -}}
args:
  - python
  - -m
  - pilothouse_model_server.download
  - {{ $model.name | quote }}
  - --revision
  - {{ $model.revision | quote }}
  - --folder
  - {{ include "common.modelFolder" . }}
  {{- range $model.include }}
  - --include
  - {{ . | quote }}
  {{- end }}
  {{- range $model.exclude }}
  - --exclude
  - {{ . | quote }}
  {{- end }}
env:
  {{- with $download.endpoint }}
  HF_ENDPOINT: {{ . | quote }}
  {{- end }}
  {{- with $download.existingSecret }}
  HF_TOKEN: {secret: {{ . | quote }}, key: {{ $download.key }}}
  {{- end }}
egress:
  {{- include "common.egressToURL" (list .ctx ($download.endpoint | default "https://huggingface.co") "") | nindent 2 }}
  {{- if $download.endpoint }}
  # A mirror may send on to where the files are.
  {{- include "common.egressAnywhere" (list .ctx 443) | nindent 2 }}
  {{- end }}
  {{- with $download.extraEgress }}
  {{- tpl (toYaml .) $.ctx | nindent 2 }}
  {{- end }}
{{- end }}

{{/* The Job. */}}
{{- define "common.modelJob" -}}
{{- $fetch := include "common.modelFetch" . | fromYaml -}}
{{- $w := dict "component" (printf "%s-download" .m.component) "container" "download" "image" .m.image "restartPolicy" "OnFailure"
  "args" $fetch.args "env" ($fetch.env | default dict) "egress" $fetch.egress "job" (dict "backoffLimit" 20)
  "mounts" (list (dict "name" "models" "mountPath" "/models"))
  "volumes" (list (dict "name" "models" "persistentVolumeClaim" (dict "claimName" (include "common.modelClaim" .)))) -}}
{{- $o := merge (dict "networkPolicy" (pick .m.o.networkPolicy "enabled")) .m.download -}}
{{- if include "common.modelOnOneNode" . -}}
{{- $o = merge (include "common.modelJobPlace" . | fromYaml) $o -}}
{{- end -}}
{{- $args := dict "ctx" .ctx "w" $w "o" $o -}}
{{ include "common.job" $args }}
---
{{ include "common.serviceAccount" $args }}
{{- if .m.o.networkPolicy.enabled }}
---
{{ include "common.networkPolicy" $args }}
{{- end }}
{{- end }}

{{/*
Where the Job runs when one node holds the volume: beside the server, which has it already while it waits for the model.
Whoever mounts the volume first decides where it is, and only the server knows which nodes have cards. Where no server
waits, the Job goes to a node where one can run.
*/}}
{{- define "common.modelJobPlace" -}}
{{- $download := .m.download -}}{{- $server := .m.o -}}
nodeSelector:
  {{- toYaml (merge (deepCopy ($server.nodeSelector | default dict)) ($download.nodeSelector | default dict)) | nindent 2 }}
tolerations:
  {{- toYaml (concat ($download.tolerations | default list) ($server.tolerations | default list)) | nindent 2 }}
{{- if gt (int (include "common.minReplicas" $server)) 0 }}
{{- $affinity := deepCopy ($download.affinity | default dict) }}
{{- $beside := dict "topologyKey" "kubernetes.io/hostname"
  "labelSelector" (dict "matchLabels" (include "common.selectorLabels" (list .ctx .m.component) | fromYaml)) }}
{{- $wanted := dig "podAffinity" "requiredDuringSchedulingIgnoredDuringExecution" list $affinity }}
{{- $required := dict "requiredDuringSchedulingIgnoredDuringExecution" (append $wanted $beside) }}
affinity:
  {{- toYaml (mergeOverwrite $affinity (dict "podAffinity" $required)) | nindent 2 }}
{{- end }}
{{- end }}

{{/* Without a volume, each pod does it before it serves. */}}
{{- define "common.modelOwnDownload" -}}
{{- $fetch := include "common.modelFetch" . | fromYaml -}}
- name: download
  {{- include "common.containerBasics" (dict "ctx" .ctx "w" (dict "image" .m.image) "o" .m.o) | nindent 2 }}
  args:
    {{- toYaml $fetch.args | nindent 4 }}
  {{- with include "common.env" (dict "ctx" .ctx "env" $fetch.env) | trim }}
  env:
    {{- . | nindent 4 }}
  {{- end }}
  resources:
    {{- $disk := dict "requests" (dict "ephemeral-storage" .m.cache.size) }}
    {{- toYaml (mergeOverwrite $disk (deepCopy (.m.download.resources | default dict))) | nindent 4 }}
  volumeMounts:
    - {name: models, mountPath: /models}
    - {name: tmp, mountPath: /tmp}
{{- end }}
