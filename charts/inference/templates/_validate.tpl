{{/* Values of this chart that contradict each other; the library checks what all model servers have. */}}
{{- define "inference.validate" -}}
{{- $v := .Values -}}
{{- if and (eq $v.engine "local") (or $v.model.name $v.model.path) (not $v.file) -}}
{{- include "common.refuse" (list "inference: the engine `local` reads one GGUF file, and `file` does not say which. For example --set inference.model.name=Qwen/Qwen2.5-1.5B-Instruct-GGUF,inference.file=qwen2.5-1.5b-instruct-q4_k_m.gguf") -}}
{{- end -}}
{{- if and (eq $v.engine "local") $v.file (not $v.model.name) (not $v.model.path) -}}
{{- include "common.refuse" (list "inference: `file` names a GGUF file, but not where it comes from. Set model.name (on the hub) or model.path and cache.existingClaim (on a volume).") -}}
{{- end -}}
{{- if and (eq $v.engine "external") (eq (toString $v.gpu.enabled) "true") -}}
{{- include "common.refuse" (list "inference: the engine `external` runs nothing here, so gpu.enabled has no effect. Set it to false, or choose tgi or vllm.") -}}
{{- end -}}
{{- $image := $v.tgi.image -}}
{{- $nonRoot := and (ne (toString ($v.podSecurityContext | default dict).runAsUser) "0") (ne (toString ($v.containerSecurityContext | default dict).runAsUser) "0") -}}
{{- if and (eq $v.engine "tgi") $nonRoot (hasPrefix "huggingface/" $image.repository) (regexMatch "^3\\.[1-3]\\.[0-9]+$" (toString $image.tag)) -}}
{{- include "common.refuse" (list (printf "inference: the image text-generation-inference:%s starts only as root, because its Python lies below /root. Build one that does not, and name it in tgi.image:\n\n    FROM ghcr.io/huggingface/text-generation-inference:%s\n    RUN chmod 755 /root\n\nor stay with 3.0.1, or set podSecurityContext.runAsUser to 0 and runAsNonRoot to false where root is allowed." $image.tag $image.tag)) -}}
{{- end -}}
{{- end }}
