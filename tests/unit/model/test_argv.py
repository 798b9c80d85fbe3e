from __future__ import annotations

import pytest

from cockpit.model.argv import Effect, effect, leaves_simulator, needs_terminal

READS, CHANGES, UNKNOWN = Effect.READS, Effect.CHANGES, Effect.UNKNOWN


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("kubectl get pods -n production -w", READS),
        ("kubectl -n production logs -l app=x --tail=100 -f", READS),
        ("/usr/bin/kubectl describe deployment x", READS),
        ("kubectl port-forward deployment/x 3000:3000", READS),
        ("kubectl rollout status deployment/x", READS),
        ("kubectl rollout restart deployment/x", CHANGES),
        ("kubectl config view", READS),
        ("kubectl config use-context x", CHANGES),
        ("kubectl -n get delete pod x", CHANGES),
        ("kubectl --context prod patch ingress x -p {}", CHANGES),
        ("kubectl scale deployment/x --replicas=0", CHANGES),
        ("kubectl apply -f x", CHANGES),
        ("kubectl set image deployment/x a=b", CHANGES),
        ("kubectl annotate ingress x a=b", CHANGES),
        ("kubectl label pod x a=b", CHANGES),
        ("kubectl edit deployment x", CHANGES),
        ("kubectl exec x -- redis-cli FLUSHALL", UNKNOWN),
        ("helm status x", READS),
        ("helm rollback x", CHANGES),
        ("curl -fsSL https://x", READS),
        ("curl -X GET https://x", READS),
        ("curl -X POST https://x", CHANGES),
        ("curl -sXDELETE https://x", CHANGES),
        ("curl --request=PUT https://x", CHANGES),
        ("curl --request PATCH https://x", CHANGES),
        ("curl -sd a=b https://x", CHANGES),
        ("curl --data-binary @x https://x", CHANGES),
        ("curl --json {} https://x", CHANGES),
        ("cat file", READS),
        ("./scripts/rollback.sh", UNKNOWN),
        ("python x.py", UNKNOWN),
    ],
)
def test_what_is_not_known_to_read_is_asked_about(words: str, wanted: Effect) -> None:
    assert effect(words.split()) is wanted


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("kubectl exec -it -n production deployment/x -- /bin/sh", True),
        ("kubectl exec -i -t x -- sh", True),
        ("kubectl exec --stdin --tty x -- sh", True),
        ("kubectl exec x -- ls -t", False),
        ("kubectl exec -i x -- cat", False),
        ("kubectl run -ti x --image=y", True),
        ("kubectl edit deployment x", True),
        ("kubectl logs -f x", False),
        ("kubectl get -t x", False),
        ("bash -it", False),
    ],
)
def test_who_needs_the_terminal(words: str, wanted: bool) -> None:
    assert needs_terminal(words.split()) is wanted


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("kubectl get pods", False),
        ("kubectl exec x -- curl --server y", False),
        ("kubectl --context=prod get pods", True),
        ("kubectl get pods --kubeconfig /root/.kube/config", True),
        ("kubectl -s https://x get pods", True),
        ("curl https://x", True),
    ],
)
def test_what_a_rehearsal_does_not_hold(words: str, wanted: bool) -> None:
    assert leaves_simulator(words.split()) is wanted
