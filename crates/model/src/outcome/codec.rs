//! An outcome's bytes.

use super::*;
use crate::contact::{codec_redaction, codec_redactions};
use crate::frame::{Fields, FrameError, put_bytes, put_number, put_signed};
use crate::time::{from_nanos, to_nanos};

/// Tags, for ever.
mod tag {
    pub(super) const OF: u32 = 1;
    pub(super) const AT: u32 = 2;
    pub(super) const OCTETS_IN: u32 = 3;
    pub(super) const OCTETS_OUT: u32 = 4;
    pub(super) const DURATION: u32 = 5;
    pub(super) const END: u32 = 6;
    pub(super) const STATUS: u32 = 7;
    pub(super) const ACCOUNT: u32 = 8;
    pub(super) const TLS_COMPLETED: u32 = 10;
    pub(super) const TLS_VERSION: u32 = 11;
    pub(super) const TLS_CIPHER: u32 = 12;
    pub(super) const TLS_ALERT_IN: u32 = 13;
    pub(super) const TLS_ALERT_OUT: u32 = 14;
    pub(super) const TLS_RESUMED: u32 = 15;
    pub(super) const BODY_LEN: u32 = 20;
    pub(super) const BODY_COMPLETE: u32 = 21;
    pub(super) const BODY_FIELD: u32 = 22;
    pub(super) const BODY_REDACTION: u32 = 23;
}

impl End {
    fn number(self) -> u64 {
        match self {
            Self::Answered => 0,
            Self::Us => 1,
            Self::Peer => 2,
            Self::Reset => 3,
            Self::TimedOut => 4,
            Self::Limit => 5,
            Self::Stopped => 6,
        }
    }

    fn from_number(number: u64) -> Result<Self, FrameError> {
        let all = [Self::Answered, Self::Us, Self::Peer, Self::Reset, Self::TimedOut, Self::Limit, Self::Stopped];
        all.into_iter().find(|end| end.number() == number).ok_or(FrameError::Value(tag::END))
    }
}

impl Outcome<'_> {
    /// Appends the outcome's payload. Its own id stands in the frame's header.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, tag::OF, &self.of.to_bytes());
        put_signed(out, tag::AT, to_nanos(self.at));
        put_number(out, tag::OCTETS_IN, self.octets_in);
        put_number(out, tag::OCTETS_OUT, self.octets_out);
        put_number(out, tag::DURATION, self.duration_nanos);
        put_number(out, tag::END, self.end.number());
        if let Some(status) = self.status {
            put_number(out, tag::STATUS, u64::from(status));
        }
        if let Some(tls) = &self.tls {
            put_number(out, tag::TLS_COMPLETED, u64::from(tls.completed));
            put_number(out, tag::TLS_VERSION, u64::from(tls.version));
            put_number(out, tag::TLS_CIPHER, u64::from(tls.cipher));
            for (tag, alert) in [(tag::TLS_ALERT_IN, tls.alert_in), (tag::TLS_ALERT_OUT, tls.alert_out)] {
                if let Some(alert) = alert {
                    put_number(out, tag, u64::from(alert));
                }
            }
            if tls.resumed {
                put_number(out, tag::TLS_RESUMED, 1);
            }
        }
        if let Some(body) = &self.body {
            put_number(out, tag::BODY_LEN, body.len);
            put_number(out, tag::BODY_COMPLETE, u64::from(body.complete));
            for field in &body.fields {
                put_bytes(out, tag::BODY_FIELD, field.as_bytes());
            }
            codec_redactions(out, tag::BODY_REDACTION, &body.redactions);
        }
        for account in &self.accounts {
            put_bytes(out, tag::ACCOUNT, account);
        }
    }
}

impl<'a> Outcome<'a> {
    /// Reads an outcome's payload; it borrows from `payload`.
    pub fn decode(id: ContactId, payload: &'a [u8]) -> Result<Self, FrameError> {
        let (mut of, mut at) = (None, None);
        let mut outcome = Outcome {
            id,
            of: id,
            at: Timestamp::UNIX_EPOCH,
            octets_in: 0,
            octets_out: 0,
            duration_nanos: 0,
            end: End::Answered,
            status: None,
            tls: None,
            body: None,
            accounts: Vec::new(),
        };
        for field in Fields::new(payload) {
            let (tag, value) = field?;
            match tag {
                tag::OF => of = Some(value.bytes(tag)?.try_into().map_err(|_| FrameError::Value(tag))?),
                tag::AT => at = Some(value.signed(tag)?),
                tag::OCTETS_IN => outcome.octets_in = value.number(tag)?,
                tag::OCTETS_OUT => outcome.octets_out = value.number(tag)?,
                tag::DURATION => outcome.duration_nanos = value.number(tag)?,
                tag::END => outcome.end = End::from_number(value.number(tag)?)?,
                tag::STATUS => outcome.status = Some(value.small(tag)?),
                tag::ACCOUNT => outcome.accounts.push(value.bytes(tag)?.into()),
                10..=19 => take_tls(outcome.tls.get_or_insert_default(), tag, value)?,
                20..=29 => take_body(outcome.body.get_or_insert_default(), tag, value)?,
                _ => {}
            }
        }
        outcome.of = ContactId::from_bytes(of.ok_or(FrameError::Missing(tag::OF))?);
        outcome.at = from_nanos(at.ok_or(FrameError::Missing(tag::AT))?);
        Ok(outcome)
    }
}

fn take_tls(tls: &mut Tls, tag: u32, value: crate::frame::Value<'_>) -> Result<(), FrameError> {
    match tag {
        tag::TLS_COMPLETED => tls.completed = value.number(tag)? != 0,
        tag::TLS_VERSION => tls.version = value.small(tag)?,
        tag::TLS_CIPHER => tls.cipher = value.small(tag)?,
        tag::TLS_ALERT_IN => tls.alert_in = Some(value.small(tag)?),
        tag::TLS_RESUMED => tls.resumed = value.number(tag)? != 0,
        tag::TLS_ALERT_OUT => tls.alert_out = Some(value.small(tag)?),
        _ => {}
    }
    Ok(())
}

fn take_body<'a>(body: &mut Body<'a>, tag: u32, value: crate::frame::Value<'a>) -> Result<(), FrameError> {
    match tag {
        tag::BODY_LEN => body.len = value.number(tag)?,
        tag::BODY_COMPLETE => body.complete = value.number(tag)? != 0,
        tag::BODY_FIELD => body.fields.push(value.text(tag)?.into()),
        tag::BODY_REDACTION => body.redactions.push(codec_redaction(tag, value)?),
        _ => {}
    }
    Ok(())
}
