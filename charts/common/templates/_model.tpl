{{/*
A model on a volume: a claim that stays, one Job that downloads, and servers that wait for it, mount it read-only
and never use the network. All take `m`: {component, image, model, cache, download, o}, where `o` are the server's
options. Nothing is made where no model is named. Call: include "common.modelFolder" (dict "ctx" $ "m" $m)
*/}}
{{- define "common.modelFolder" -}}
{{- $model := .m.model -}}
{{- if $model.path -}}/models/{{ $model.path | trimPrefix "/" | trimSuffix "/" }}
{{- else -}}/models/{{ replace "/" "--" $model.name }}/{{ replace "/" "--" $model.revision }}
{{- end -}}
{{- end }}

{{- define "common.modelWanted" -}}
{{- if or .m.model.name .m.model.path }}yes{{ end -}}
{{- end }}

{{/* Whether anything is downloaded, and by the Job rather than by each pod. */}}
{{- define "common.modelDownloads" -}}
{{- if and .m.model.name (not .m.model.path) }}yes{{ end -}}
{{- end }}

{{- define "common.modelClaim" -}}
{{- .m.cache.existingClaim | default (printf "%s-models" (include "common.componentName" (list .ctx .m.component))) -}}
{{- end }}

{{/* A volume that one node holds: no second pod elsewhere can have it. */}}
{{- define "common.modelOnOneNode" -}}
{{- if and (include "common.modelWanted" .) .m.cache.enabled (not .m.cache.existingClaim) (eq .m.cache.accessMode "ReadWriteOnce") }}yes{{ end -}}
{{- end }}

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
  - /models
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

{{/* The claim and the Job. */}}
{{- define "common.modelObjects" -}}
{{- if and (include "common.modelWanted" .) .m.cache.enabled }}
{{- if not .m.cache.existingClaim }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "common.modelClaim" . }}
  namespace: {{ .ctx.Release.Namespace }}
  labels:
    {{- include "common.labels" (list .ctx .m.component) | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes: [{{ .m.cache.accessMode }}]
  {{- with .m.cache.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .m.cache.size }}
{{- end }}
{{- if include "common.modelDownloads" . }}
---
{{ include "common.modelJob" . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "common.modelJob" -}}
{{- $fetch := include "common.modelFetch" . | fromYaml -}}
{{- $w := dict "component" (printf "%s-download" .m.component) "container" "download" "image" .m.image "restartPolicy" "OnFailure"
  "args" $fetch.args "env" ($fetch.env | default dict) "egress" $fetch.egress "job" (dict "backoffLimit" 20)
  "mounts" (list (dict "name" "models" "mountPath" "/models"))
  "volumes" (list (dict "name" "models" "persistentVolumeClaim" (dict "claimName" (include "common.modelClaim" .)))) -}}
{{- $o := merge (dict "networkPolicy" (pick .m.o.networkPolicy "enabled")) .m.download -}}
{{- if include "common.modelOnOneNode" . -}}
{{- /* Whoever mounts the volume first decides where it is: it must be a node where the server can run. */ -}}
{{- $o = merge (dict "nodeSelector" (merge (deepCopy .m.download.nodeSelector) .m.o.nodeSelector)
  "tolerations" (concat .m.download.tolerations .m.o.tolerations)) $o -}}
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

{{/* What a server's pod has of it: initContainers, mounts, volumes, egress. */}}
{{- define "common.modelPod" -}}
{{- if include "common.modelWanted" . -}}
mounts:
  - name: models
    mountPath: /models
    readOnly: true
volumes:
  - name: models
    {{- if .m.cache.enabled }}
    persistentVolumeClaim:
      claimName: {{ include "common.modelClaim" . }}
    {{- else }}
    emptyDir:
      sizeLimit: {{ .m.cache.size }}
    {{- end }}
{{- if include "common.modelDownloads" . }}
initContainers:
  {{- if .m.cache.enabled }}
  {{- include "common.modelWait" . | nindent 2 }}
  {{- else }}
  {{- include "common.modelOwnDownload" . | nindent 2 }}
  {{- end }}
{{- if not .m.cache.enabled }}
egress:
  {{- (include "common.modelFetch" . | fromYaml).egress | toYaml | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}
{{- end }}

{{- define "common.modelWait" -}}
- name: wait-for-model
  {{- include "common.containerBasics" (dict "ctx" .ctx "w" (dict "image" .m.image) "o" .m.o) | nindent 2 }}
  command:
    - sh
    - -c
    - |
      n=0
      until [ -e "{{ include "common.modelFolder" . }}/.complete" ]; do
        [ $((n % 60)) -ne 0 ] || echo "{{ .m.model.name }} is not downloaded yet. The log of the pods with app.kubernetes.io/component={{ .m.component }}-download says how far it is."
        n=$((n + 1)); sleep 2
      done
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {memory: 64Mi}
  volumeMounts:
    - {name: models, mountPath: /models, readOnly: true}
{{- end }}

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
    {{- toYaml .m.download.resources | nindent 4 }}
  volumeMounts:
    - {name: models, mountPath: /models}
    - {name: tmp, mountPath: /tmp}
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
