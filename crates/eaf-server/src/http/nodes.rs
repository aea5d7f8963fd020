//! Nodes: list, one, cordon, uncordon, modes of accelerators.

use super::answer::{Refused, json};
use super::extract::{Json, NodePath};
use super::submit::ADMINISTRATOR;
use super::{App, views};
use axum::extract::State;
use axum::response::Response;
use eaf_api::{CordonRequest, ModeRequest, NodeList, NodeView, Refusal};
use eaf_model::{FieldProblem, Input, NodeId, Rejection};

/// The most characters of a reason.
const WHY_MAX: usize = 200;

pub(super) async fn list(State(app): State<App>) -> Response {
    let at = app.view.latest();
    let tasks = views::tasks_by_node(&at.state);
    json(&NodeList { items: at.state.nodes().map(|(id, node)| views::node(&at.state, *id, node, &tasks)).collect() })
}

fn shown(app: &App, id: NodeId) -> Result<NodeView, Refused> {
    let at = app.view.latest();
    let node = at.state.node(id).ok_or_else(|| Refusal::NoSuchNode { node: id.to_string() })?;
    Ok(views::node(&at.state, id, node, &views::tasks_by_node(&at.state)))
}

pub(super) async fn one(State(app): State<App>, NodePath(id): NodePath) -> Result<Response, Refused> {
    Ok(json(&shown(&app, id)?))
}

pub(super) async fn cordon(
    State(app): State<App>,
    NodePath(id): NodePath,
    Json(CordonRequest { why }): Json<CordonRequest>,
) -> Result<Response, Refused> {
    if why.is_empty() || why.starts_with(' ') || why.chars().count() > WHY_MAX || why.chars().any(char::is_control) {
        let expected = format!("1 to {WHY_MAX} characters of printable text, not beginning with a space");
        let problem = FieldProblem::Malformed { expected };
        return Err(Refused::Rejected(Rejection::Invalid { field: "why".to_owned(), problem }));
    }
    app.door.ask(Input::Cordon { node: id, why }).await?;
    Ok(json(&shown(&app, id)?))
}

pub(super) async fn uncordon(State(app): State<App>, NodePath(id): NodePath) -> Result<Response, Refused> {
    app.door.ask(Input::Uncordon { node: id }).await?;
    Ok(json(&shown(&app, id)?))
}

pub(super) async fn mode(
    State(app): State<App>,
    NodePath(id): NodePath,
    Json(ModeRequest { accelerators, mode }): Json<ModeRequest>,
) -> Result<Response, Refused> {
    app.door.ask(Input::SetMode { node: id, accelerators, mode, by: ADMINISTRATOR.to_owned() }).await?;
    Ok(json(&shown(&app, id)?))
}
