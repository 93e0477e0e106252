//! The bytes of an SMTP transaction.

use super::*;

impl Message<'_> {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_some(out, tag::HELO, &self.helo);
        put_number(out, tag::STARTTLS, u64::from(self.starttls));
        put_some(out, tag::AUTH_MECHANISM, self.auth_mechanism.as_bytes());
        if let Some(from) = &self.mail_from {
            put_bytes(out, tag::MAIL_FROM, &from.0);
        }
        for recipient in &self.recipients {
            put_bytes(out, tag::RECIPIENT, &recipient.0);
        }
        if self.recipients_count != 0 {
            put_number(out, tag::RECIPIENTS_COUNT, u64::from(self.recipients_count));
        }
        for account in &self.accounts {
            put_bytes(out, tag::MESSAGE_ACCOUNT, account);
        }
        put_some(out, tag::MESSAGE_END, self.end.as_bytes());
        put_some(out, tag::MAIL_FINGERPRINT, self.fingerprint.as_bytes());
        if let Some(letter) = &self.letter {
            letter.encode(out);
        }
    }
}

impl Letter<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_number(out, tag::LETTER_OCTETS, self.octets);
        put_number(out, tag::LETTER_COMPLETE, u64::from(self.complete));
        for name in &self.header_names {
            put_bytes(out, tag::LETTER_HEADER, name.as_bytes());
        }
        put_number(out, tag::LETTER_PARTS, u64::from(self.parts));
        for attachment in &self.attachments {
            put_bytes(out, tag::ATTACHMENT, &attachment.keyed_hash.0);
            put_number(out, tag::ATTACHMENT_OCTETS, attachment.octets);
            put_some(out, tag::ATTACHMENT_TYPE, attachment.media_type.as_bytes());
            put_some(out, tag::ATTACHMENT_EXTENSION, attachment.extension.as_bytes());
        }
    }
}

impl<'a> Message<'a> {
    pub(super) fn take(&mut self, tag: u32, value: Value<'a>) -> Result<(), FrameError> {
        match tag {
            tag::HELO => self.helo = value.bytes(tag)?.into(),
            tag::STARTTLS => self.starttls = value.number(tag)? != 0,
            tag::AUTH_MECHANISM => self.auth_mechanism = value.text(tag)?.into(),
            tag::MAIL_FROM => self.mail_from = Some(digest(tag, value)?),
            tag::RECIPIENT => self.recipients.push(digest(tag, value)?),
            tag::RECIPIENTS_COUNT => self.recipients_count = count(tag, value)?,
            tag::MESSAGE_END => self.end = value.text(tag)?.into(),
            tag::MAIL_FINGERPRINT => self.fingerprint = value.text(tag)?.into(),
            tag::MESSAGE_ACCOUNT => self.accounts.push(value.bytes(tag)?.into()),
            tag::LETTER_OCTETS.. => self.letter.get_or_insert_default().take(tag, value)?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Letter<'a> {
    fn take(&mut self, tag: u32, value: Value<'a>) -> Result<(), FrameError> {
        match (tag, self.attachments.last_mut()) {
            (tag::LETTER_OCTETS, _) => self.octets = value.number(tag)?,
            (tag::LETTER_COMPLETE, _) => self.complete = value.number(tag)? != 0,
            (tag::LETTER_HEADER, _) => self.header_names.push(value.text(tag)?.into()),
            (tag::LETTER_PARTS, _) => self.parts = count(tag, value)?,
            (tag::ATTACHMENT, _) => self.attachments.push(Attachment {
                keyed_hash: digest(tag, value)?,
                octets: 0,
                media_type: "".into(),
                extension: "".into(),
            }),
            (tag::ATTACHMENT_OCTETS, Some(last)) => last.octets = value.number(tag)?,
            (tag::ATTACHMENT_TYPE, Some(last)) => last.media_type = value.text(tag)?.into(),
            (tag::ATTACHMENT_EXTENSION, Some(last)) => last.extension = value.text(tag)?.into(),
            _ => {}
        }
        Ok(())
    }
}

fn count(tag: u32, value: Value<'_>) -> Result<u32, FrameError> {
    u32::try_from(value.number(tag)?).map_err(|_| FrameError::Value(tag))
}
