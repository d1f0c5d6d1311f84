//! Sentences for message bodies. All are valid inside a JSON string and inside HTML.

use fastrand::Rng;

use crate::{encode::JsonOut, rng::Draw};

const SENTENCES: [&str; 28] = [
    "Could somebody please have a look at the numbers of last week? ",
    "The build is green again. ",
    "Thanks a lot! ",
    "I moved the meeting to Thursday, 14:30, since half of us are on the train on Wednesday. ",
    "Danke für die schnelle Rückmeldung – das hilft uns sehr. ",
    "See the attached file, page 12, second paragraph. ",
    "👍 ",
    "Merci beaucoup, c’est déjà corrigé. ",
    "¿Alguien sabe dónde está la última versión? ",
    "The customer asked for a delivery before the end of the quarter; I told them that we will know more on Monday. ",
    "明日の会議は延期になりました。",
    "No change. ",
    "Please don't reply to all. ",
    "Смотрите вложение, пожалуйста. ",
    "We measured it twice: 41.7 ms and 42.3 ms, so the cache does help after all. ",
    "שלום לכולם ",
    "مرحبا بالجميع ",
    "It works on my machine. ",
    "Line one\\nLine two\\n\\n\\tindented with a tab\\r\\n",
    "He said \\\"never again\\\" and C:\\\\temp\\\\x was empty. ",
    "Let us decide on Friday whether the old server can go, and who tells those that still use it. ",
    "Zażółć gęślą jaźń. ",
    "🇩🇪👩‍💻🎉 ",
    "The invoice no. 2024/0815 is still open, could you check with accounting? ",
    "Agreed. ",
    "I will be out of office until the 15th; Megan stands in for me. ",
    "สวัสดีครับ ",
    "e\u{301} is not é, and \u{feff}this begins with a mark. ",
];

/// Writes about `len` bytes of sentences, without the quotes of a JSON string.
pub(crate) fn write_text(out: &mut Vec<u8>, rng: &mut Rng, len: usize) {
    let end = out.len() + len;
    while out.len() < end {
        out.raw(rng.pick(&SENTENCES));
    }
}
