"""The checks, and for each of them faults that it must find in a release without any."""

from collections.abc import Callable
from typing import Any

from support.charts import contents, pod_security, reachability, references, schemas, selectors
from support.charts.helm import Object
from support.charts.scenario import External

EXTERNAL = External(secrets={"web-tls": ["tls.crt", "tls.key"]})
GONE: Any = object()
Check = Callable[[list[Object]], Any]


def native(objects: list[Object], version: str = "1.32") -> list[str]:
    return [p for o in objects if schemas.is_native(o) for p in schemas.problems(o, version)]


def custom(objects: list[Object]) -> list[str]:
    return [p for o in objects if not schemas.is_native(o) for p in schemas.problems(o, "any")]


def moving(objects: list[Object]) -> Any:
    return contents.moving_images(contents.images(objects))


def selecting(objects: list[Object]) -> Any:
    return selectors.problems(objects, frozenset())


def referring(objects: list[Object]) -> Any:
    return references.problems(objects, EXTERNAL)


def named(objects: list[Object]) -> Any:
    return contents.names(objects, "ai")


def pulling(objects: list[Object]) -> Any:
    return contents.pull_secrets(objects, "mirror")


CHECKS: list[Check] = [
    native,
    custom,
    selecting,
    referring,
    reachability.problems,
    pod_security.problems,
    named,
    contents.labels,
    contents.unique_in_lists,
    contents.literal_secrets,
    contents.grace,
    moving,
    pulling,
]
POD = "spec.template.spec"
COMPONENT = "app.kubernetes.io/component"
MAIN = f"{POD}.containers.0"

# Check, object, place in it, what is put there, and what the check says.
FAULTS: list[tuple[Check, str, str, Any, str]] = [
    (native, "Deployment/r-web", "spec.replcas", 3, "'replcas' was unexpected"),
    (native, "Deployment/r-web", f"{MAIN}.imagePullPolic", "Always", "'imagePullPolic' was unexpected"),
    (native, "Service/r-web", "spec.ports.0.port", "8080", "is not of type"),
    (native, "Service/r-web", "spec.type", None, "spec.type is null"),
    (native, "Deployment/r-web", "apiVersion", "apps/v2", "there is no apps/v2 Deployment in 1.32"),
    (custom, "Cluster/r-db", "spec.instnces", 3, "'instnces' was unexpected"),
    (
        custom,
        "Cluster/r-db",
        "apiVersion",
        "postgresql.cnpg.io/v9",
        "there is no postgresql.cnpg.io/v9 Cluster",
    ),
    (selecting, "Deployment/r-web", "spec.selector.matchLabels.tier", "x", "selects the pods of nothing"),
    (selecting, "Service/r-web", "spec.selector.tier", "x", "Service/r-web selects no pod"),
    (selecting, "Service/r-web", "spec.ports.0.targetPort", "grpc", "has no port 'grpc'"),
    (selecting, "PodDisruptionBudget/r-web", "spec.selector.matchLabels.tier", "x", "selects no pod"),
    (
        selecting,
        "HorizontalPodAutoscaler/r-web",
        "spec.scaleTargetRef.name",
        "web",
        "Deployment/web, which is not",
    ),
    (selecting, "Deployment/r-web", "spec.replicas", 2, "says a number of replicas itself"),
    (selecting, "ServiceMonitor/r-web", "spec.selector.matchLabels.tier", "x", "selects no Service"),
    (selecting, "ServiceMonitor/r-web", "spec.endpoints.0.port", "metrics", "has no port 'metrics'"),
    (selecting, "PodMonitor/r-db", "spec.selector.matchLabels.tier", "x", "selects no pod"),
    (selecting, "NetworkPolicy/r-web", "spec.podSelector.matchLabels.tier", "x", "selects no pod"),
    (selecting, "NetworkPolicy/r-web", "spec.ingress.0.ports.0.port", "grpc", "has a port 'grpc'"),
    (selecting, "NetworkPolicy/r-web", "spec.egress.1.ports.0.port", 6432, "has a port 6432"),
    (
        selecting,
        "NetworkPolicy/r-db",
        "spec.ingress.0.from.0.podSelector.matchLabels.tier",
        "x",
        "there are none",
    ),
    (
        selecting,
        "NetworkPolicy/r-web",
        "spec.ingress.0.from",
        [
            {
                "podSelector": {
                    "matchExpressions": [{"key": COMPONENT, "operator": "In", "values": ["web", "wbe"]}]
                }
            }
        ],
        "names pods of wbe, and there are none",
    ),
    (selecting, "Deployment/r-web", f"{POD}.topologySpreadConstraints.0.labelSelector", GONE, "its own pods"),
    (
        referring,
        "Deployment/r-web",
        f"{MAIN}.env.1.valueFrom.secretKeyRef.name",
        "db",
        "Secret db is nowhere",
    ),
    (referring, "Deployment/r-web", f"{MAIN}.env.1.valueFrom.secretKeyRef.key", "pass", "has no key 'pass'"),
    (referring, "Deployment/r-web", f"{MAIN}.env.2.valueFrom.secretKeyRef.key", "api", "has no key 'api'"),
    (referring, "Deployment/r-web", f"{MAIN}.env.3.valueFrom.configMapKeyRef.key", "lvl", "has no key 'lvl'"),
    (referring, "Deployment/r-web", f"{MAIN}.envFrom", [{"secretRef": {"name": "s"}}], "Secret s is nowhere"),
    (
        referring,
        "Deployment/r-web",
        f"{MAIN}.envFrom",
        [{"configMapRef": {"name": "c"}}],
        "ConfigMap c is nowhere",
    ),
    (referring, "Deployment/r-web", f"{MAIN}.volumeMounts.0.name", "data", "there is no such volume"),
    (referring, "Deployment/r-web", f"{MAIN}.volumeMounts.1", GONE, "volume tmp is mounted by no container"),
    (referring, "Deployment/r-web", f"{MAIN}.readinessProbe.httpGet.port", "web", "is probed on port 'web'"),
    (referring, "Deployment/r-web", f"{MAIN}.args.2", "$(ADDRESS)", "arguments use $(ADDRESS)"),
    (referring, "Deployment/r-web", f"{MAIN}.env.0.value", "$(LEVEL)", "uses $(LEVEL)"),
    (
        referring,
        "Deployment/r-web",
        f"{MAIN}.env.4.value",
        "http://r-query:8082",
        "Service r-query is nowhere",
    ),
    (
        referring,
        "Deployment/r-web",
        f"{MAIN}.env.4.value",
        "http://r-web:80/x",
        "Service r-web has no port 80",
    ),
    (
        referring,
        "Deployment/r-web",
        f"{POD}.volumes.0.persistentVolumeClaim.claimName",
        "f",
        "Claim f is nowhere",
    ),
    (
        referring,
        "Deployment/r-web",
        f"{POD}.volumes.1",
        {"name": "tmp", "secret": {"secretName": "t"}},
        "Secret t is",
    ),
    (referring, "Deployment/r-web", f"{POD}.serviceAccountName", "web", "ServiceAccount web is nowhere"),
    (
        referring,
        "Deployment/r-web",
        f"{POD}.resourceClaims",
        [{"name": "gpu", "resourceClaimTemplateName": "gpu"}],
        "ResourceClaimTemplate gpu is nowhere",
    ),
    (
        referring,
        "Deployment/r-web",
        f"{MAIN}.resources.claims",
        [{"name": "gpu"}],
        "the pod does not claim it",
    ),
    (referring, "Ingress/r-web", "spec.tls.0.secretName", "tls", "Secret tls is nowhere"),
    (
        referring,
        "Ingress/r-web",
        "spec.rules.0.http.paths.0.backend.service.port.name",
        "web",
        "Service r-web has no port 'web'",
    ),
    (referring, "Database/r-db", "spec.cluster.name", "db", "Cluster db is nowhere"),
    (referring, "Cluster/r-db", "spec.superuserSecret", {"name": "su"}, "Secret su is nowhere"),
    (
        referring,
        "Cluster/r-db",
        "spec.backup",
        {"barmanObjectStore": {"s3Credentials": {"accessKeyId": {"name": "s3", "key": "id"}}}},
        "Secret s3 is nowhere",
    ),
    (
        referring,
        "Cluster/r-db",
        "spec.plugins",
        [{"name": "barman-cloud.cloudnative-pg.io", "parameters": {"barmanObjectName": "store"}}],
        "ObjectStore store is nowhere",
    ),
    (reachability.problems, "NetworkPolicy/r-web", "spec.policyTypes.1", GONE, "limits its egress"),
    (
        reachability.problems,
        "NetworkPolicy/r-db",
        "spec.podSelector.matchLabels.x",
        "y",
        "limits its ingress",
    ),
    (reachability.problems, "NetworkPolicy/r-web", "spec.egress.0.ports.1", GONE, "look up names over TCP"),
    (
        reachability.problems,
        "NetworkPolicy/r-web",
        "spec.egress.1",
        GONE,
        "may not reach Cluster/r-db on 5432",
    ),
    (
        reachability.problems,
        "NetworkPolicy/r-db",
        "spec.ingress.0.from.0.podSelector.matchLabels.x",
        "y",
        "Cluster/r-db lets nothing of Deployment/r-web in on 5432",
    ),
    (pod_security.problems, "Deployment/r-web", f"{POD}.hostNetwork", True, "hostNetwork is not allowed"),
    (
        pod_security.problems,
        "Deployment/r-web",
        f"{POD}.volumes.1",
        {"name": "tmp", "hostPath": {}},
        "a hostPath",
    ),
    (pod_security.problems, "Deployment/r-web", f"{POD}.securityContext.runAsNonRoot", GONE, "runAsNonRoot"),
    (pod_security.problems, "Deployment/r-web", f"{POD}.securityContext.runAsUser", 0, "runs as root"),
    (
        pod_security.problems,
        "Deployment/r-web",
        f"{POD}.securityContext.seccompProfile",
        GONE,
        "no seccompProfile",
    ),
    (pod_security.problems, "Deployment/r-web", f"{POD}.securityContext.sysctls", [{"name": "x"}], "sysctls"),
    (
        pod_security.problems,
        "Deployment/r-web",
        f"{MAIN}.securityContext.privileged",
        True,
        "it is privileged",
    ),
    (pod_security.problems, "Deployment/r-web", f"{MAIN}.securityContext.procMount", "Unmasked", "procMount"),
    (pod_security.problems, "Deployment/r-web", f"{MAIN}.ports.0.hostPort", 80, "hostPort is not allowed"),
    (
        pod_security.problems,
        "Deployment/r-web",
        f"{MAIN}.securityContext.allowPrivilegeEscalation",
        GONE,
        "allowPrivilegeEscalation is not false",
    ),
    (pod_security.problems, "Deployment/r-web", f"{MAIN}.securityContext.capabilities.drop", [], "drop all"),
    (
        pod_security.problems,
        "Deployment/r-web",
        f"{MAIN}.securityContext.capabilities.add",
        ["SYS_ADMIN"],
        "adds",
    ),
    (
        pod_security.problems,
        "Deployment/r-web",
        f"{MAIN}.securityContext.readOnlyRootFilesystem",
        GONE,
        "root file",
    ),
    (
        pod_security.problems,
        "Deployment/r-web",
        f"{POD}.automountServiceAccountToken",
        GONE,
        "token is mounted",
    ),
    (pod_security.problems, "Deployment/r-web", f"{POD}.enableServiceLinks", GONE, "enableServiceLinks"),
    (
        pod_security.problems,
        "Deployment/r-web",
        f"{POD}.serviceAccountName",
        GONE,
        "ServiceAccount of its own",
    ),
    (
        pod_security.problems,
        "Deployment/r-web",
        f"{POD}.volumes.1",
        {"name": "tmp", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
        "only what makes credentials or scales Ray",
    ),
    (pod_security.problems, "Deployment/r-web", f"{MAIN}.resources.requests.cpu", GONE, "requests no cpu"),
    (pod_security.problems, "Deployment/r-web", f"{MAIN}.resources.limits", GONE, "memory has no limit"),
    (
        pod_security.problems,
        "Deployment/r-web",
        f"{POD}.initContainers",
        [{"name": "init", "image": "x:1"}],
        "init: allowPrivilegeEscalation is not false",
    ),
    (
        named,
        "ConfigMap/r-credentials",
        "metadata.name",
        "r-settings",
        "ConfigMap/r-settings is there 2 times",
    ),
    (named, "Service/r-web", "kind", "ClusterRole", "belongs to the whole cluster"),
    (named, "Service/r-web", "metadata.namespace", "default", "put into another namespace"),
    (named, "Service/r-web", "metadata.name", "x" * 64, "a name that is too long"),
    (named, "Service/r-web", "metadata.name", "R.web", "not a host name"),
    (contents.labels, "Service/r-web", "metadata.labels", {"helm.sh/chart": "web"}, "app.kubernetes.io/name"),
    (
        contents.labels,
        "Deployment/r-web",
        "spec.template.metadata.labels",
        {},
        "the pods of Deployment/r-web",
    ),
    (contents.labels, "Service/r-web", "spec.selector.version", "1", "selects by"),
    (contents.unique_in_lists, "Deployment/r-web", f"{MAIN}.env.0.name", "LEVEL", "env: LEVEL twice"),
    (contents.unique_in_lists, "Deployment/r-web", f"{MAIN}.volumeMounts.0.mountPath", "/tmp", "/tmp twice"),
    (contents.unique_in_lists, "Deployment/r-web", f"{POD}.volumes.0.name", "tmp", "volumes: tmp twice"),
    (contents.literal_secrets, "Deployment/r-web", f"{MAIN}.env.2.value", "abc", "API_KEY holds a secret"),
    (
        contents.literal_secrets,
        "Deployment/r-web",
        f"{MAIN}.env.4.value",
        "postgresql://web:pw@r-db-rw/web",
        "DATABASE_URL holds a secret",
    ),
    (
        contents.literal_secrets,
        "Deployment/r-web",
        f"{MAIN}.args.0",
        "--api-key=abc",
        "an argument holds a secret",
    ),
    (contents.literal_secrets, "ConfigMap/r-settings", "data.HF_TOKEN", "hf_x", "HF_TOKEN holds a secret"),
    (contents.literal_secrets, "ConfigMap/r-settings", "kind", "Secret", "is rendered"),
    (
        contents.grace,
        "Deployment/r-web",
        f"{MAIN}.env.0",
        {"name": "PILOTHOUSE_SERVER_GRACE", "value": "40"},
        "web wants 40 s to end, and the pod has 30",
    ),
    (moving, "Deployment/r-web", f"{MAIN}.image", "ghcr.io/web:latest", "may be another image tomorrow"),
    (moving, "Deployment/r-web", f"{MAIN}.image", "localhost:5000/web", "neither tag nor digest"),
    (pulling, "Deployment/r-web", f"{POD}.imagePullSecrets", GONE, "Deployment/r-web does not name the pull"),
    (pulling, "Cluster/r-db", "spec.imagePullSecrets", GONE, "Cluster/r-db does not name the pull secret"),
]
