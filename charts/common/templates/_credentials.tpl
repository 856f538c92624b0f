{{/*
Makes Secrets that are not there yet, by a Job and not by rendering: what a template makes up changes with
every rendering. The Job may read and create Secrets and can change none. They stay when the release goes.
`secrets` is a list of {name, type, data, random}; `o` are the options of the Job's pod, with `image`.
Call: include "common.credentials" (dict "ctx" $ "component" "database-credentials" "image" $image "secrets" $list "o" $o)
*/}}
{{- define "common.credentials" -}}
{{- $ctx := .ctx -}}
{{- $component := .component -}}
{{- $name := include "common.componentName" (list $ctx $component) -}}
{{- $wanted := list -}}
{{- range .secrets -}}
{{- $labels := include "common.labels" (list $ctx $component) | fromYaml -}}
{{- $_ := unset $labels "helm.sh/chart" -}}{{- $_ := unset $labels "app.kubernetes.io/version" -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" "pilothouse" -}}
{{- /* Argo CD takes what carries the release's label for part of it, and would prune what no manifest has. */ -}}
{{- $annotations := dict "argocd.argoproj.io/sync-options" "Prune=false" "argocd.argoproj.io/compare-options" "IgnoreExtraneous" -}}
{{- $wanted = append $wanted (merge (deepCopy .) (dict "labels" (merge $labels (.labels | default dict)) "annotations" $annotations)) -}}
{{- end -}}
{{- $json := dict "secrets" $wanted | toJson -}}
{{- $w := dict "component" $component "container" "credentials" "image" .image "restartPolicy" "OnFailure"
  "args" (list "python" "-m" "pilothouse_core.credentials" "kubernetes" "/etc/pilothouse/credentials/wanted.json")
  "env" dict
  "podAnnotations" (dict "checksum/wanted" (sha256sum $json))
  "resources" (.o.resources | default (dict "requests" (dict "cpu" "10m" "memory" "64Mi") "limits" (dict "memory" "128Mi")))
  "mounts" (list
    (dict "name" "wanted" "mountPath" "/etc/pilothouse/credentials" "readOnly" true)
    (dict "name" "token" "mountPath" "/var/run/secrets/kubernetes.io/serviceaccount" "readOnly" true))
  "volumes" (list
    (dict "name" "wanted" "configMap" (dict "name" $name))
    (dict "name" "token" "projected" (dict "sources" (list
      (dict "serviceAccountToken" (dict "path" "token" "expirationSeconds" 3600))
      (dict "configMap" (dict "name" "kube-root-ca.crt" "items" (list (dict "key" "ca.crt" "path" "ca.crt"))))
      (dict "downwardAPI" (dict "items" (list (dict "path" "namespace" "fieldRef" (dict "fieldPath" "metadata.namespace")))))))))
  "egress" (include "common.egressToAPIServer" $ctx | fromYamlArray)
-}}
{{- $args := dict "ctx" $ctx "w" $w "o" .o -}}
{{ include "common.job" $args }}
---
{{ include "common.serviceAccount" $args }}
---
apiVersion: v1
kind: ConfigMap
{{ include "common.metadata" $args }}
data:
  wanted.json: {{ $json | quote }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
{{ include "common.metadata" $args }}
rules:
  - apiGroups: [""]
    resources: [secrets]
    verbs: [create]
  - apiGroups: [""]
    resources: [secrets]
    verbs: [get]
    resourceNames:
      {{- range .secrets }}
      - {{ .name }}
      {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
{{ include "common.metadata" $args }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "common.serviceAccountName" (list $ctx $component .o) }}
    namespace: {{ $ctx.Release.Namespace }}
{{- if (.o.networkPolicy | default dict).enabled }}
---
{{ include "common.networkPolicy" $args }}
{{- end }}
{{- end }}
