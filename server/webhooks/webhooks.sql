-- Webhooks and what is to be sent to them.

-- name: webhook_wanted :one
select exists (select from webhooks where team_id = $1::uuid and status = 'active');

-- name: webhook_emit :exec
insert into webhook_deliveries (team_id, webhook_id, event, body)
select team_id, id, $3::text, $4::text
  from webhooks
 where team_id = $1::uuid and project_id = $2::uuid and status = 'active' and $3::text = any (events);

-- name: webhook_list :many
-- Newest first; $3: one of them, $4: those before it.
select w.id, w.project_id, w.name, w.description, w.url, to_json(w.events) as events,
       w.secret_sealed is not null as has_secret, w.secret_sealed, w.status, w.disabled_reason,
       w.failing_since, w.failures, w.created_by, w.created_at, w.updated_at,
       last.state as last_state, last.created_at as last_at
  from webhooks w
  left join lateral (
       select state, created_at from webhook_deliveries d
        where d.team_id = w.team_id and d.webhook_id = w.id
        order by created_at desc, id desc limit 1) last on true
 where w.team_id = $1::uuid and w.project_id = $2::uuid and ($3::uuid is null or w.id = $3::uuid)
   and ($4::uuid is null or w.id < $4::uuid)
 order by w.id desc
 limit $5::bigint;

-- name: webhook_count :one
select count(*) from webhooks where team_id = $1::uuid and project_id = $2::uuid;

-- name: webhook_create :exec
insert into webhooks (team_id, project_id, id, name, description, url, events, secret_sealed, status,
                      created_by)
values ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::text, $7::text[], $8::text, $9::text,
        $10::text);

-- name: webhook_update :exec
-- One that is switched on begins anew.
update webhooks
   set name = $3::text, description = $4::text, url = $5::text, events = $6::text[],
       secret_sealed = $7::text, status = $8::text, updated_at = now(),
       disabled_reason = case when status = $8::text then disabled_reason else '' end,
       failing_since = case when status = $8::text then failing_since end,
       failures = case when status = $8::text then failures else 0 end
 where team_id = $1::uuid and id = $2::uuid;

-- name: webhook_delete :exec
delete from webhooks where team_id = $1::uuid and id = $2::uuid;

-- name: delivery_list :many
select id, event, body, state, attempts, case when state = 'waiting' then due_at end as next_attempt_at,
       log, created_at, finished_at
  from webhook_deliveries
 where team_id = $1::uuid and webhook_id = $2::uuid
   and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4::uuid))
   and ($5::uuid is null or id = $5::uuid)
 order by created_at desc, id desc
 limit $6::bigint;

-- name: delivery_again :exec
update webhook_deliveries
   set state = 'waiting', due_at = now(), claimed_until = null, attempts = 0, finished_at = null
 where team_id = $1::uuid and webhook_id = $2::uuid and id = $3::uuid;

-- name: delivery_claim :opt
-- The next that is due, of a hook that is not being told as many things at once as it may be, of a
-- team that has not as many under way as it may have. The claim is a lease: whoever dies with it
-- leaves the delivery to the next one.
with claimed as (
    select team_id, webhook_id from webhook_deliveries
     where state = 'waiting' and claimed_until > now()
), next as (
    select d.id from webhook_deliveries d
     where d.state = 'waiting' and d.due_at <= now()
       and (d.claimed_until is null or d.claimed_until <= now())
       and d.webhook_id not in (select webhook_id from claimed
                                 group by webhook_id having count(*) >= $1::bigint)
       and d.team_id not in (select team_id from claimed
                              group by team_id having count(*) >= $2::bigint)
     order by d.due_at
     limit 1
       for update skip locked
)
update webhook_deliveries d
   set claimed_until = now() + make_interval(secs => $3::float8)
  from next, webhooks w
 where d.id = next.id and w.team_id = d.team_id and w.id = d.webhook_id
returning d.id, d.team_id, d.webhook_id, w.name as webhook_name, w.url, w.secret_sealed, d.body,
          d.attempts;

-- name: delivery_mark :exec
-- What came of an attempt; $4 null = it is over. Somebody may have switched the hook off meanwhile.
update webhook_deliveries
   set state = $3::text, attempts = attempts + 1, claimed_until = null, log = log || $5::jsonb,
       due_at = coalesce(now() + make_interval(secs => $4::float8), due_at),
       finished_at = case when $4::float8 is null then now() end
 where team_id = $1::uuid and id = $2::uuid and state = 'waiting';

-- name: webhook_succeeded :exec
update webhooks set failing_since = null, failures = 0
 where team_id = $1::uuid and id = $2::uuid and failures > 0;

-- name: webhook_failed :opt
-- Whether it has failed for so long that nobody is waiting for it any more.
update webhooks
   set failures = failures + 1, failing_since = coalesce(failing_since, now())
 where team_id = $1::uuid and id = $2::uuid
returning status = 'active' and failures >= $3::bigint
          and failing_since < now() - make_interval(hours => $4::int);

-- name: webhook_switch_off :exec
update webhooks set status = 'disabled', disabled_reason = $3::text, updated_at = now()
 where team_id = $1::uuid and id = $2::uuid and status = 'active';

-- name: delivery_give_up_all :exec
-- Of a hook that was switched off.
update webhook_deliveries
   set state = 'failed', claimed_until = null, finished_at = now(),
       log = log || jsonb_build_object('at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                                       'status', null, 'duration_ms', 0, 'error', 'the webhook was switched off')
 where team_id = $1::uuid and webhook_id = $2::uuid and state = 'waiting';

-- name: webhook_overfull :many
select w.id, w.team_id, w.name
  from webhooks w
 where w.status = 'active'
   and (select count(*) from (
          select from webhook_deliveries d
           where d.team_id = w.team_id and d.webhook_id = w.id and d.state = 'waiting'
           limit $1::bigint + 1) waiting) > $1::bigint;

-- name: delivery_sweep :exec
-- What has ended: the newest of each hook stay, for a while.
with kept as materialized (
    select w.team_id, w.id, greatest(
               now() - make_interval(days => $1::int),
               (select d.created_at from webhook_deliveries d
                 where d.team_id = w.team_id and d.webhook_id = w.id
                 order by d.created_at desc, d.id desc
                offset $2::bigint limit 1)) as until
      from webhooks w
)
delete from webhook_deliveries d
 using kept
 where d.team_id = kept.team_id and d.webhook_id = kept.id and d.state <> 'waiting'
   and d.created_at <= kept.until;
