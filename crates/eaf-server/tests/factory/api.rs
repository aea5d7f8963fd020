//! The HTTP door as clients see it.

use crate::fixture::{Factory, refused, request, until};
use eaf_api::client::{Client, FileReply};
use eaf_api::{EventId, EventView, ListQuery, LogQuery, PAGE_MAX, Stream};
use eaf_model::{Event, Exit, NodeState, WorkloadState};
use serde_json::{Value, json};
use std::io::Read;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("a workload runs and every question about it is answered", a_workload_runs),
    ("lists are paged, filtered and merged with the history", lists_are_paged),
    ("an array is shown as a whole and by its members", arrays_are_shown),
    ("a key makes a repetition safe", keys_make_repetitions_safe),
    ("what is refused is said as a problem", refusals_are_problems),
    ("paths and methods are those of the document", routes_agree_with_the_document),
    ("nothing but health passes without the token", tokens_are_needed),
    ("events can be read from any place that is kept", events_resume),
    ("nodes are cordoned and uncordoned", nodes_are_cordoned),
    ("a log is followed until its task is over", logs_are_followed),
    ("bounds on bodies and requests hold", bounds_hold),
];

fn a_workload_runs() {
    let factory = Factory::new();
    let client = factory.client();
    assert_eq!(client.health().unwrap().status, "ok");
    assert!(client.ready().unwrap().ready);

    let id = factory.script("echo out; echo err >&2; mkdir d; echo content > d/file; ln -s /etc/passwd d/link; exit 3");
    let view = factory.ended(id);
    assert_eq!((view.state, view.status.attempts.len()), (WorkloadState::Failed, 1));
    assert_eq!(view.status.attempts[0].exits, [Exit::Code(3)]);

    let log = |stream| client.log(id, &LogQuery { stream, ..LogQuery::default() }).unwrap();
    let (out, err) = (log(Stream::Stdout), log(Stream::Stderr));
    assert_eq!((out.bytes.as_slice(), out.offset, out.next, out.end), (&b"out\n"[..], 0, 4, true));
    assert_eq!(err.bytes, b"err\n");
    let rest = client.log(id, &LogQuery { offset: 2, limit: Some(1), ..LogQuery::default() }).unwrap();
    assert_eq!((rest.bytes.as_slice(), rest.offset, rest.next, rest.end), (&b"t"[..], 2, 3, false));
    assert_eq!(refused(client.log(id, &LogQuery { task: 1, ..LogQuery::default() })), "no_such_log");
    assert_eq!(refused(client.log(id, &LogQuery { attempt: Some(2), ..LogQuery::default() })), "no_such_log");

    let FileReply::Directory(listing) = client.file(id, "d").unwrap() else { panic!("a directory") };
    assert_eq!(listing.entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["file", "link"]);
    let FileReply::File { size, mut content } = client.file(id, "d/file").unwrap() else { panic!("a file") };
    let mut text = String::new();
    content.read_to_string(&mut text).unwrap();
    assert_eq!((size, text.as_str()), (Some(8), "content\n"));
    for out in ["d/link", "../..", "/etc/passwd", "d/none"] {
        assert_eq!(refused(client.file(id, out).map(|_| ())), "no_such_file", "{out}");
    }

    let receipt = client.receipt(id).unwrap();
    let key = eaf_api::receipt::keys::load_public(&factory.data_dir().join("keys")).unwrap();
    let verified = eaf_api::receipt::verify(&receipt, &key).expect("the receipt holds");
    assert_eq!(verified.receipt.workload.id, id);
    assert!(client.explanation(id).unwrap().blockers.is_empty());
    assert_eq!(client.cancel(id).unwrap().state, WorkloadState::Failed);
    assert!(client.metrics().unwrap().contains("eaf_steps_total"));
    assert!(client.journal_head().unwrap().step > 3);
}

fn lists_are_paged() {
    let factory = Factory::new();
    let client = factory.client();
    let ended: Vec<_> = (0..3).map(|_| factory.script("true")).collect();
    for id in &ended {
        assert_eq!(factory.ended(*id).state, WorkloadState::Finished);
    }
    let mut waiting = request("sleep 600");
    "waiting".clone_into(&mut waiting.spec.name);
    "other".clone_into(&mut waiting.spec.project);
    let live: Vec<_> = (0..2).map(|_| client.submit(&waiting, None).unwrap().id).collect();

    let ids = |query: &ListQuery| -> Vec<_> { client.list(query).unwrap().items.iter().map(|view| view.id).collect() };
    let all = ListQuery { all: true, ..ListQuery::default() };
    let mut newest_first: Vec<_> = ended.iter().chain(&live).copied().collect();
    newest_first.reverse();
    assert_eq!(ids(&all), newest_first);
    assert_eq!(ids(&ListQuery::default()), [live[1], live[0]]);
    assert_eq!(ids(&ListQuery { name: Some("waiting".to_owned()), ..all.clone() }), [live[1], live[0]]);
    assert_eq!(ids(&ListQuery { project: Some("default".to_owned()), ..all.clone() }), newest_first[2..]);
    assert_eq!(ids(&ListQuery { states: vec![WorkloadState::Finished], ..ListQuery::default() }), newest_first[2..]);
    assert_eq!(ids(&ListQuery { list: Some(ended[1]), ..all.clone() }), [ended[1]]);

    let mut paged = Vec::new();
    let mut query = ListQuery { limit: Some(2), ..all };
    loop {
        let page = client.list(&query).unwrap();
        paged.extend(page.items.iter().map(|view| view.id));
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, newest_first);
    assert_eq!(
        refused(client.list(&ListQuery { limit: Some(PAGE_MAX + 1), ..ListQuery::default() })),
        "query_malformed"
    );
    assert_eq!(
        refused(client.list(&ListQuery { cursor: Some("x".to_owned()), ..ListQuery::default() })),
        "query_malformed"
    );
}

fn arrays_are_shown() {
    let factory = Factory::new();
    let client = factory.client();
    let mut array = request("exit $((EAF_ARRAY_INDEX == 7))");
    array.array = vec![9, 5, 7];
    let id = client.submit(&array, None).unwrap().id;
    let whole = until("the end of an array", || client.workload(id).ok().filter(|view| view.state.is_ended()));
    let summary = whole.status.array.expect("a summary");
    assert_eq!((whole.id, whole.state, summary.members), (id, WorkloadState::Failed, 3));
    assert_eq!(summary.by_state.get(&WorkloadState::Finished), Some(&2));
    let members = client.list(&ListQuery { list: Some(id), all: true, ..ListQuery::default() }).unwrap().items;
    let values: Vec<_> = members.iter().map(|member| (member.id.member(), member.status.array_index)).collect();
    assert_eq!(values, [(Some(2), Some(9)), (Some(1), Some(7)), (Some(0), Some(5))]);
    assert_eq!(refused(client.receipt(id)), "is_array");
    assert_eq!(refused(client.explanation(id)), "is_array");
}

fn keys_make_repetitions_safe() {
    let factory = Factory::with(|config| config.settings.limits.remembered_max = 2);
    let client = factory.client();
    let first = client.submit(&request("true"), Some("key-1")).unwrap().id;
    assert_eq!(client.submit(&request("true"), Some("key-1")).unwrap().id, first);
    factory.ended(first);
    assert_eq!(client.submit(&request("true"), Some("key-1")).unwrap().id, first);
    assert_eq!(refused(client.submit(&request("false"), Some("key-1"))), "key_reused");
    // Long enough ago that only the history knows the key.
    (0..4).map(|_| factory.script("true")).for_each(|id| drop(factory.ended(id)));
    assert_eq!(client.submit(&request("true"), Some("key-1")).unwrap().id, first);
    assert_eq!(refused(client.submit(&request("false"), Some("key-1"))), "key_reused");
    let mut array = request("true");
    array.array = vec![1];
    assert_eq!(refused(client.submit(&array, Some("key-1"))), "key_reused");

    let mut after = request("true");
    after.spec.after_ok = vec![first];
    let id = client.submit(&after, None).unwrap().id;
    assert_eq!(factory.ended(id).state, WorkloadState::Finished);
    after.spec.after_ok = vec!["wl-9999".parse().unwrap()];
    assert_eq!(refused(client.submit(&after, None)), "unknown_dependency");
}

fn refusals_are_problems() {
    let factory = Factory::new();
    let json_type = [("content-type", "application/json")];
    let check = |body: &[u8], status: u16, code: &str| {
        let answer = factory.call("POST", "/v1/workloads", &json_type, body);
        assert_eq!(answer.code(), (status, code.to_owned()), "{}", String::from_utf8_lossy(body));
    };
    check(b"{", 400, "body_malformed");
    check(b"", 400, "body_malformed");
    check(b"[]", 400, "body_malformed");
    check(b"{\"spec\":{\"run\":{\"script\":\"\xff\"}}}", 400, "body_malformed");
    check(b"{\"spec\":{\"run\":{\"script\":\"x\"},\"colour\":1}}", 400, "body_malformed");
    check(b"{\"spec\":{\"run\":{\"script\":\"x\"},\"tasks\":-1}}", 400, "body_malformed");
    check(b"{\"spec\":{\"run\":{\"script\":\"x\"},\"tasks\":1,\"tasks\":2}}", 400, "body_malformed");
    check(b"{\"spec\":{\"run\":{\"script\":\"x\"},\"task\":[]}}", 400, "body_malformed");
    check(b"{\"spec\":{\"run\":{\"script\":\"x\"},\"environment\":{\"A\":\"1\",\"A\":\"2\"}}}", 400, "body_malformed");
    check(b"{\"spec\":{\"run\":{\"script\":\"x\"},\"tasks\":0}}", 422, "invalid");
    check(b"{\"spec\":{\"run\":{\"command\":[]}}}", 422, "invalid");
    check(b"{\"spec\":{\"run\":{\"script\":\"x\"}},\"array\":[1,1]}", 422, "invalid");
    check(b"{\"spec\":{\"run\":{\"script\":\"x\"},\"task\":{\"memory\":1152921504606846976}}}", 409, "never_fits");

    let body = serde_json::to_vec(&request("true")).unwrap();
    assert_eq!(factory.call("POST", "/v1/workloads", &[], &body).code().0, 415);
    let key = [json_type[0], ("idempotency-key", "two words")];
    assert_eq!(factory.call("POST", "/v1/workloads", &key, &body).code(), (400, "header_malformed".to_owned()));
    for (path, status, code) in [
        ("/v1/nothing", 404, "no_such_path"),
        ("/v1/workloads/wl-99999", 404, "no_such_workload"),
        ("/v1/workloads/%FF", 404, "no_such_path"),
        ("/v1/workloads/x", 404, "no_such_workload"),
        ("/v1/nodes/nd-99999", 404, "no_such_node"),
        ("/v1/workloads?colour=1", 400, "query_malformed"),
        ("/v1/workloads?limit=0", 400, "query_malformed"),
        ("/v1/workloads?limit=1&limit=2", 400, "query_malformed"),
        ("/v1/workloads?state=sleepy", 400, "query_malformed"),
    ] {
        assert_eq!(factory.call("GET", path, &[], b"").code(), (status, code.to_owned()), "{path}");
    }
    let korean = factory.call("GET", "/v1/nothing", &[("accept-language", "ko-KR,ko;q=0.9")], b"");
    assert_eq!((korean.language.as_str(), korean.json()["title"].as_str().unwrap().is_ascii()), ("ko", false));
    let largest =
        factory.post("/v1/workloads", &json!({ "spec": { "run": { "script": "x" }, "task": { "cpu": 1_000_000 } } }));
    assert_eq!(largest.code(), (409, "never_fits".to_owned()));
    assert!(largest.json()["largest"]["cpu"].as_u64().unwrap() > 0);
    assert_eq!(factory.post("/v1/stop", &json!({ "process": "another" })).code(), (409, "other_process".to_owned()));
}

fn routes_agree_with_the_document() {
    let factory = Factory::new();
    let served = factory.call("GET", "/v1/openapi.json", &[], b"");
    assert_eq!(served.json(), eaf_api::document());
    let paths = served.json()["paths"].as_object().unwrap().clone();
    for (path, item) in &paths {
        let here = path.replace("{id}", "none");
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let documented = item.get(method.to_lowercase()).is_some();
            if path == "/v1/events" && documented {
                continue;
            }
            let answer = factory.call(method, &here, &[], b"");
            let (status, code) = answer.code();
            assert_ne!(code, "no_such_path", "{method} {path}");
            assert_eq!(status == 405, !documented, "{method} {path}: {answer:?}");
            if status == 405 {
                assert!(answer.allow.split(',').all(|word| item.get(word.to_lowercase()).is_some() || word == "HEAD"));
            } else {
                is_documented(&item[method.to_lowercase()], status, &answer.kind);
            }
        }
    }
}

/// A status and content type that the document knows of.
fn is_documented(operation: &Value, status: u16, kind: &str) {
    let response = &operation["responses"][status.to_string()];
    let response = match response["$ref"].as_str() {
        Some(to) => eaf_api::document().pointer(to.trim_start_matches('#')).cloned().unwrap_or_default(),
        None => response.clone(),
    };
    let kind = kind.split(';').next().unwrap_or_default();
    assert!(response["content"].get(kind).is_some(), "{status} {kind} of {}", operation["operationId"]);
}

fn tokens_are_needed() {
    let factory = Factory::new();
    let check = |path: &str, header: Option<&str>, expect: (u16, &str)| {
        let headers: Vec<_> = header.iter().map(|header| ("authorization", *header)).collect();
        let answer = factory.call_without_token("GET", path, &headers, b"");
        assert_eq!(answer.code(), (expect.0, expect.1.to_owned()), "{path} {header:?}");
    };
    check("/v1/health", None, (200, ""));
    check("/v1/nodes", None, (401, "unauthorized"));
    check("/v1/nothing", None, (401, "unauthorized"));
    check("/v1/nodes", Some("Basic abc"), (401, "unauthorized"));
    check("/v1/nodes", Some("Bearer abc"), (401, "wrong_token"));
    check("/v1/nodes", Some(&format!("bearer {}", factory.token())), (200, ""));
    let mut longer = factory.token();
    longer.push('0');
    check("/v1/nodes", Some(&format!("Bearer {longer}")), (401, "wrong_token"));
}

fn events_resume() {
    let factory = Factory::new();
    let client = factory.client();
    let first = factory.script("true");
    factory.ended(first);
    let take = |after: EventId, until: &dyn Fn(&EventView) -> bool| -> Vec<EventView> {
        let mut seen = Vec::new();
        for event in client.events(Some(after)) {
            seen.push(event.unwrap());
            if until(&seen[seen.len() - 1]) {
                break;
            }
        }
        seen
    };
    let ends = |view: &EventView| matches!(&view.event, Event::WorkloadEnded { workload, .. } if *workload == first);
    let all = take(EventId::behind(0), &ends);
    assert!(matches!(all[0].event, Event::Configured(_)), "{:?}", all[0]);
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
    let middle = all.len() / 2;
    assert_eq!(take(all[middle].id, &ends), all[middle + 1..]);

    // One that listens from now on hears what comes.
    let mut live = client.events(None);
    let heard = std::thread::spawn(move || live.next());
    let head = client.journal_head().unwrap().step;
    until("an event to a listener", || {
        factory.script("true");
        heard.is_finished().then_some(())
    });
    assert!(heard.join().unwrap().unwrap().unwrap().id > EventId::behind(head));
    let answer = factory.call("GET", "/v1/events?after=x", &[], b"");
    assert_eq!(answer.code(), (400, "query_malformed".to_owned()));
}

fn nodes_are_cordoned() {
    let factory = Factory::with(|config| config.pretend_accelerators = Some("2xMI355X".to_owned()));
    let client = factory.client();
    let nodes = client.nodes().unwrap().items;
    assert_eq!((nodes.len(), nodes[0].spec.accelerators.len(), nodes[0].spec.pretended), (1, 2, true));
    let id = nodes[0].id;
    let cordoned = client.cordon(id, "a fan is loud").unwrap();
    assert_eq!((cordoned.state, cordoned.state_reason.as_deref()), (NodeState::Cordoned, Some("a fan is loud")));
    assert_eq!(refused(client.cordon(id, "\n")), "invalid");
    let waiting = factory.script("true");
    let explanation = client.explanation(waiting).unwrap();
    assert_eq!((explanation.state, explanation.nodes_fitting), (WorkloadState::Queued, 0));
    assert_eq!(client.uncordon(id).unwrap().state, NodeState::Ready);
    assert_eq!(factory.ended(waiting).state, WorkloadState::Finished);
    assert_eq!(refused(client.uncordon(id)), "node_unchanged");
}

fn logs_are_followed() {
    let factory = Factory::new();
    let client = factory.client();
    let id = factory.script("echo one; while [ ! -e go ]; do sleep 0.02; done; echo two");
    let mut log = client.follow_log(id, &LogQuery::default()).unwrap();
    let mut first = [0; 4];
    log.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"one\n");
    let work = factory.data_dir().join("work").join(id.to_string());
    std::fs::write(work.join("go"), "").unwrap();
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "two\n");
    assert_eq!(factory.ended(id).state, WorkloadState::Finished);
}

fn bounds_hold() {
    let factory = Factory::with(|config| {
        config.limits.body_bytes_max = 1_000;
        config.limits.requests_per_second = 200;
    });
    let large = serde_json::to_vec(&request(&"x".repeat(10 << 20))).unwrap();
    let answer = factory.call("POST", "/v1/workloads", &[("content-type", "application/json")], &large);
    assert_eq!(answer.code(), (413, "body_too_large".to_owned()));
    let client: Client = factory.client();
    let codes = (0..2_000).filter_map(|_| client.health().err()).filter_map(|error| error.problem().cloned());
    let codes: Vec<String> = codes.map(|problem| problem.code).take(1).collect();
    assert_eq!(codes, ["rate_limited"]);
}
