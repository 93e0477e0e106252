SELECT
    contacts.*,
    outcomes.ended, outcomes.ended_by, outcomes.status, outcomes.octets_in, outcomes.octets_out,
    outcomes.duration_nanos, outcomes.tls_completed, outcomes.body_len, outcomes.body_fields, outcomes.accounts_sealed,
    verdicts.label, verdicts.score, verdicts.reasons, verdicts.asn, verdicts.as_name, verdicts.country,
    coalesce(verdicts.withheld, true) AS withheld
FROM contacts
LEFT JOIN (
    SELECT *, row_number() OVER (PARTITION BY contact_id ORDER BY ended DESC, id DESC) AS nth FROM stored_outcomes
) AS outcomes ON outcomes.contact_id = contacts.id AND outcomes.nth = 1
LEFT JOIN (
    SELECT *, row_number() OVER (PARTITION BY contact_id ORDER BY judged DESC) AS nth FROM stored_verdicts
) AS verdicts ON verdicts.contact_id = contacts.id AND verdicts.nth = 1
