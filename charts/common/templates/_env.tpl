{{/*
Environment variables as a list, sorted, each name once. `env` maps a name to a text or to
{secret, key}; `settings` adds PILOTHOUSE_ variables; `extra` (a list as Kubernetes takes it) wins.
Call: include "common.env" (dict "ctx" $ "env" $env "settings" $map "extra" $list)
*/}}
{{- define "common.env" -}}
{{- $ctx := .ctx -}}
{{- $env := deepCopy (.env | default dict) -}}
{{- range $name, $value := .settings | default dict -}}
{{- $_ := set $env (printf "PILOTHOUSE_%s" $name) $value -}}
{{- end -}}
{{- $extra := .extra | default list -}}
{{- range $extra -}}{{- $_ := unset $env .name -}}{{- end -}}
{{- range $name, $value := $env }}
- name: {{ $name }}
{{- if kindIs "map" $value }}
  valueFrom:
    secretKeyRef:
      name: {{ tpl $value.secret $ctx }}
      key: {{ $value.key }}
{{- else }}
  value: {{ tpl (toString $value) $ctx | quote }}
{{- end }}
{{- end }}
{{- with $extra }}
{{ tpl (toYaml .) $ctx }}
{{- end }}
{{- end }}

{{/*
Variables that connect to PostgreSQL as one role. Libpq takes the password from PGPASSWORD,
so that it is never part of an address. Call: include "common.databaseEnv" (list $ .Values.database)
*/}}
{{- define "common.databaseEnv" -}}
{{- $ctx := index . 0 -}}
{{- $db := index . 1 -}}
{{- $host := tpl ($db.host | default "") $ctx | required "database.host is empty: name the PostgreSQL server, for example --set database.host=pilothouse-database-rw" -}}
{{- $secret := tpl ($db.existingSecret | default "") $ctx | required "database.existingSecret is empty: name the Secret that holds the role's password, for example one made by: kubectl create secret generic pilothouse-db --from-literal=password=…" -}}
{{- $query := printf "sslmode=%s" $db.sslMode -}}
{{- if tpl ($db.caSecret | default "") $ctx -}}
{{- $query = printf "%s&sslrootcert=/etc/pilothouse/database/ca.crt" $query -}}
{{- else if hasPrefix "verify-" $db.sslMode -}}
{{- /* The certificates that the image trusts: what a managed database with a public certificate needs. */ -}}
{{- $query = printf "%s&sslrootcert=system" $query -}}
{{- end -}}
PILOTHOUSE_DATABASE_URL: {{ printf "postgresql://%s@%s:%v/%s?%s" $db.user $host $db.port $db.name $query | quote }}
PGPASSWORD:
  secret: {{ $secret }}
  key: {{ $db.passwordKey }}
{{- end }}

{{/* The volume with the database's CA, and its mount; nothing where no CA is named. */}}
{{- define "common.databaseVolumes" -}}
{{- $ctx := index . 0 -}}
{{- $db := index . 1 -}}
{{- with tpl ($db.caSecret | default "") $ctx }}
- name: database-ca
  secret:
    secretName: {{ . }}
    items:
      - key: {{ $db.caKey }}
        path: ca.crt
{{- end }}
{{- end }}
{{- define "common.databaseMounts" -}}
{{- if tpl ((index . 1).caSecret | default "") (index . 0) }}
- name: database-ca
  mountPath: /etc/pilothouse/database
  readOnly: true
{{- end }}
{{- end }}

{{/*
The key that signs tokens between the services. Call: include "common.authEnv" (list $ .Values.auth)
*/}}
{{- define "common.authEnv" -}}
{{- $ctx := index . 0 -}}
{{- $auth := index . 1 -}}
{{- $secret := tpl ($auth.existingSecret | default "") $ctx | required "auth.existingSecret is empty: name the Secret that holds the signing key, for example one made by: kubectl create secret generic pilothouse-auth --from-literal=key=$(openssl rand -hex 32) --from-literal=model-key=$(openssl rand -hex 32)" -}}
PILOTHOUSE_AUTH_KEY:
  secret: {{ $secret }}
  key: {{ $auth.key }}
{{- with $auth.previousKey }}
PILOTHOUSE_AUTH_PREVIOUS_KEY:
  secret: {{ $secret }}
  key: {{ . }}
{{- end }}
{{- with $auth.apiKeysSecret }}
PILOTHOUSE_AUTH_API_KEYS:
  secret: {{ tpl . $ctx | quote }}
  key: {{ $auth.apiKeysKey }}
{{- end }}
{{- end }}
