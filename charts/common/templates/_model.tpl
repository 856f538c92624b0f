{{/*
A model on a volume: a claim that stays, one Job that downloads, and servers that wait for it, mount it read-only
and never use the network. All take `m`: {component, image, model, cache, download, o}, where `o` are the server's
options. Nothing is made where no model is named. Call: include "common.modelFolder" (dict "ctx" $ "m" $m)
*/}}
{{- define "common.modelFolder" -}}
{{- $model := .m.model -}}
{{- if $model.path -}}/models/{{ $model.path | trimPrefix "/" | trimSuffix "/" }}
{{- else -}}/models/{{ replace "/" "--" $model.name }}/{{ replace "/" "--" $model.revision }}
{{- /* Other files of the same model have a folder of their own, so that nobody takes the wrong ones for them. */ -}}
{{- $files := dict "include" (sortAlpha $model.include) "exclude" (sortAlpha $model.exclude) -}}
{{- if or $model.include $model.exclude -}}-{{ toJson $files | sha256sum | trunc 8 }}{{- end -}}
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
  storageClassName: {{ . | quote }}
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
      claimName: {{ include "common.modelClaim" . | quote }}
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
    {{- include "common.waitResources" (list .m.o "16Mi" "64Mi") | nindent 4 }}
  volumeMounts:
    - {name: models, mountPath: /models, readOnly: true}
{{- end }}
