//! `Response`: the response of a route before it is serialized, and Graph's error format (graph.md 5.1).

use serde_json::{Value, json};

use crate::time::Time;

pub(crate) const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: ResponseBody,
}

#[derive(Clone, Debug)]
pub(crate) enum ResponseBody {
    Bytes(Vec<u8>),
    /// An error. Its date and ids are filled in when it is sent.
    Error {
        code: String,
        message: String,
    },
}

impl Response {
    pub(crate) fn json(body: Vec<u8>) -> Response {
        Response::bytes(200, JSON, body)
    }

    pub(crate) fn value(value: &Value) -> Response {
        Response::json(value.to_string().into_bytes())
    }

    pub(crate) fn bytes(status: u16, content_type: &str, body: Vec<u8>) -> Response {
        Response { status, content_type: content_type.to_owned(), headers: Vec::new(), body: ResponseBody::Bytes(body) }
    }

    pub(crate) fn empty(status: u16) -> Response {
        Response::bytes(status, "", Vec::new())
    }

    pub(crate) fn error(status: u16, code: impl Into<String>, message: impl Into<String>) -> Response {
        Response {
            status,
            content_type: "application/json".to_owned(),
            headers: Vec::new(),
            body: ResponseBody::Error { code: code.into(), message: message.into() },
        }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Response {
        Response::error(400, "BadRequest", message)
    }

    /// Graph's message for options that it does not accept (graph.md 4.2).
    pub(crate) fn not_supported(parameter: &str) -> Response {
        Response::bad_request(format!("Parameter '{parameter}' not supported for this request."))
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Response {
        Response::error(404, "NotFound", message)
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Response {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The bytes of the body. Errors get their date and ids.
    pub(crate) fn into_bytes(self, now: Time, request_id: uuid::Uuid, client_request_id: Option<&str>) -> Vec<u8> {
        match self.body {
            ResponseBody::Bytes(bytes) => bytes,
            ResponseBody::Error { code, message } => {
                let request_id = request_id.to_string();
                let client_request_id = client_request_id.unwrap_or(&request_id);
                let inner = json!({ "date": now.zoneless(), "request-id": request_id, "client-request-id": client_request_id });
                json!({ "error": { "code": code, "message": message, "innerError": inner } }).to_string().into_bytes()
            }
        }
    }
}
