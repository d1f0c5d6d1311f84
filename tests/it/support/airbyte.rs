//! Accessors for Airbyte's messages other than records.

use serde_json::Value;

use super::Output;

impl Output {
    pub fn statuses(&self, stream: &str) -> Vec<&str> {
        self.messages
            .iter()
            .map(|message| &message["trace"]["stream_status"])
            .filter(|status| status["stream_descriptor"]["name"] == stream)
            .map(|status| status["status"].as_str().unwrap())
            .collect()
    }

    /// The trace errors: failure type, stream, message.
    pub fn errors(&self) -> Vec<(&str, &str, &str)> {
        let errors = self.messages.iter().map(|message| &message["trace"]["error"]).filter(|error| error.is_object());
        errors.map(|error| (text(&error["failure_type"]), text(&error["stream_descriptor"]["name"]), text(&error["message"]))).collect()
    }

    pub fn logs(&self, level: &str) -> Vec<&str> {
        self.messages.iter().map(|message| &message["log"]).filter(|log| log["level"] == level).map(|log| text(&log["message"])).collect()
    }

    /// The status of `check` and its message.
    pub fn verdict(&self) -> (&str, &str) {
        let status = &self.only("CONNECTION_STATUS")["connectionStatus"];
        (text(&status["status"]), text(&status["message"]))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
