{{/*
Objects of the whole cluster, all of a kind or one by name; empty where a chart is rendered away from one. Helm
names this template when it may not read them, and so the way out. Call: (list "v1" "Node") or (list "v1" "Node" "x")
*/}}
{{- define "common.lookup, which --set global.preflight=false skips" -}}
{{- toYaml (lookup (index . 0) (index . 1) "" (rest (rest .) | first | default "")) -}}
{{- end }}

{{/*
Stops when the storage class of a volume is not there, or is known not to be writable by several nodes.
Call: include "common.requireStorage" (list $ "storage" $class "ReadWriteOnce")
*/}}
{{- define "common.requireStorage" -}}
{{- $ctx := index . 0 -}}{{- $what := index . 1 -}}{{- $wanted := index . 2 -}}{{- $mode := index . 3 -}}
{{- if include "common.preflight" $ctx -}}
{{- $classes := (include "common.lookup, which --set global.preflight=false skips" (list "storage.k8s.io/v1" "StorageClass") | fromYaml).items -}}
{{- if kindIs "slice" $classes -}}
{{- $names := list -}}{{- $found := dict -}}
{{- range $classes -}}
{{- $names = append $names .metadata.name -}}
{{- $default := eq (dig "metadata" "annotations" "storageclass.kubernetes.io/is-default-class" "" .) "true" -}}
{{- if or (eq .metadata.name $wanted) (and (not $wanted) $default) -}}{{- $found = . -}}{{- end -}}
{{- end -}}
{{- $list := ternary (printf "There are: %s." ($names | sortAlpha | join ", ")) "There is none at all: install a storage provisioner first." (not (empty $names)) -}}
{{- if not $found -}}
{{- if $wanted -}}
{{- include "common.refuse" (list (printf "%s.storageClass is %q, which this cluster does not have. %s If it is only a name that volumes have which are there already, add --set global.preflight=false." $what $wanted $list)) -}}
{{- else -}}
{{- include "common.refuse" (list (printf "This cluster has no default storage class, and %s.storageClass names none. %s" $what $list)) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $mode "ReadWriteMany") (has $found.provisioner (include "common.singleNodeProvisioners" . | fromYamlArray)) -}}
{{- include "common.refuse" (list (printf "%s.accessMode is ReadWriteMany, but volumes of the storage class %s (%s) can be mounted by one node only. Name a class that many nodes can mount, such as one for NFS, or set the access mode to ReadWriteOnce." $what $found.metadata.name $found.provisioner)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Of those it is known; others are believed. */}}
{{- define "common.singleNodeProvisioners" -}}
- ebs.csi.aws.com
- kubernetes.io/aws-ebs
- disk.csi.azure.com
- kubernetes.io/azure-disk
- pd.csi.storage.gke.io
- kubernetes.io/gce-pd
- cinder.csi.openstack.org
- dobs.csi.digitalocean.com
- csi.hetzner.cloud
- linodebs.csi.linode.com
- rbd.csi.ceph.com
- rook-ceph.rbd.csi.ceph.com
- rancher.io/local-path
- k8s.io/minikube-hostpath
- topolvm.io
- openebs.io/local
- local.csi.openebs.io
- zfs.csi.openebs.io
{{- end }}

{{/* A quantity of Kubernetes, such as 1.5Gi, in bytes. Call: include "common.bytes" "1.5Gi" */}}
{{- define "common.bytes" -}}
{{- $number := regexFind "^[0-9.]+" . -}}
{{- $units := dict "" 1 "m" 0.001 "k" 1000 "K" 1000 "M" 1000000 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
  "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 -}}
{{- mulf $number (index $units (trimPrefix $number .)) | int64 -}}
{{- end }}
