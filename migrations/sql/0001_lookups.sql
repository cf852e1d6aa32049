-- The look-ups past the tenant wall, and the sandbox's calendar. A released file is never edited: a later migration
-- replaces a function.

CREATE TABLE sandbox_clock (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), shift_days integer NOT NULL DEFAULT 0
);
INSERT INTO sandbox_clock DEFAULT VALUES;

CREATE FUNCTION billing_today(zone text) RETURNS date
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT (clock_timestamp() AT TIME ZONE zone)::date + (SELECT shift_days FROM sandbox_clock)
$$;

-- Makes `day` today in a zone; without one, in the zone of the portal that is furthest behind, so that no portal is
-- still a day short of it.
CREATE FUNCTION sandbox_move_clock(day date, zone text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  today date;
BEGIN
  PERFORM set_config('app.lookup', 'on', true);
  SELECT COALESCE((clock_timestamp() AT TIME ZONE zone)::date, min((clock_timestamp() AT TIME ZONE timezone)::date),
                  (clock_timestamp() AT TIME ZONE 'UTC')::date)
  INTO today FROM portal;
  UPDATE sandbox_clock SET shift_days = COALESCE(day - today, 0);
  UPDATE work w SET due_on = billing_today(p.timezone) FROM portal p
  WHERE p.id = w.portal_id AND w.kind = 'billing.run' AND w.due_on > billing_today(p.timezone);
  PERFORM set_config('app.lookup', '', true);
END $$;

CREATE FUNCTION portal_today() RETURNS date LANGUAGE sql STABLE SET search_path = public AS $$
  SELECT billing_today(timezone) FROM portal WHERE id = NULLIF(current_setting('app.portal', true), '')::bigint
$$;

CREATE FUNCTION portal_of_hubspot(hub_id bigint) RETURNS TABLE (portal_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.lookup', 'on', true);
  RETURN QUERY
  SELECT id FROM portal WHERE hubspot_portal_id = hub_id;
  PERFORM set_config('app.lookup', '', true);
END $$;

CREATE FUNCTION portal_open(hub_id bigint) RETURNS TABLE (portal_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.lookup', 'on', true);
  INSERT INTO portal (hubspot_portal_id) VALUES (hub_id) ON CONFLICT (hubspot_portal_id) DO NOTHING;
  RETURN QUERY SELECT id FROM portal WHERE hubspot_portal_id = hub_id;
  PERFORM set_config('app.lookup', '', true);
END $$;

CREATE FUNCTION portals_active() RETURNS TABLE (portal_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.lookup', 'on', true);
  RETURN QUERY
  SELECT id FROM portal WHERE state = 'active';
  PERFORM set_config('app.lookup', '', true);
END $$;

CREATE FUNCTION connections_of_account(which text, digest text) RETURNS TABLE (portal_id bigint, connection_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.lookup', 'on', true);
  RETURN QUERY
  SELECT c.portal_id, c.id FROM connection c
  WHERE c.provider = which AND c.account_digest = digest AND c.state <> 'disconnected';
  PERFORM set_config('app.lookup', '', true);
END $$;

CREATE FUNCTION signin_link_of(link_digest text) RETURNS TABLE (portal_id bigint, link_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.lookup', 'on', true);
  RETURN QUERY
  SELECT l.portal_id, l.id FROM signin_link l WHERE l.digest = link_digest;
  PERFORM set_config('app.lookup', '', true);
END $$;

CREATE FUNCTION console_session_of(session_digest text) RETURNS TABLE (portal_id bigint, session_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.lookup', 'on', true);
  RETURN QUERY
  SELECT s.portal_id, s.id FROM console_session s WHERE s.digest = session_digest AND s.expires_at > clock_timestamp();
  PERFORM set_config('app.lookup', '', true);
END $$;

CREATE FUNCTION oauth_state_make(which text, state text, browser text, portal bigint, who text, life interval)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
  DELETE FROM oauth_state WHERE expires_at < clock_timestamp() - interval '1 day';
  INSERT INTO oauth_state (provider, digest, browser_digest, portal_id, actor, expires_at)
  VALUES (which, state, browser, portal, who, clock_timestamp() + life)
$$;

CREATE FUNCTION oauth_state_take(which text, state text, browser text)
RETURNS TABLE (state_id bigint, portal_id bigint, actor text)
LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
  DELETE FROM oauth_state o
  WHERE o.provider = which AND o.digest = state AND o.browser_digest = browser AND o.expires_at > clock_timestamp()
  RETURNING o.id, o.portal_id, o.actor
$$;

CREATE FUNCTION lane_take(wanted_lane bigint, who text, lease_s double precision)
RETURNS TABLE (portal_id bigint, fence bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.lookup', 'on', true);
  RETURN QUERY
  UPDATE lane l SET holder = who, fence = l.fence + 1, lease_until = clock_timestamp() + make_interval(secs => lease_s)
  WHERE l.id = wanted_lane AND l.paused IS NULL AND (l.lease_until IS NULL OR l.lease_until < clock_timestamp())
  RETURNING l.portal_id, l.fence;
  PERFORM set_config('app.lookup', '', true);
END $$;

-- A ring at one instant stands for all that was due then: a lane is rung again for what became due since, and, in
-- case the ring was lost, after a while.
CREATE FUNCTION lanes_due(at_most integer, rering_s double precision) RETURNS TABLE (lane_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.lookup', 'on', true);
  RETURN QUERY
  UPDATE lane SET rung_at = clock_timestamp() WHERE id IN (
    SELECT l.id
    FROM lane l JOIN portal p ON p.id = l.portal_id
    CROSS JOIN LATERAL (
      SELECT COALESCE(l.rung_at, '-infinity') AS at,
             COALESCE(l.rung_at, '-infinity') < clock_timestamp() - make_interval(secs => rering_s) AS is_old
    ) ring
    WHERE l.paused IS NULL AND p.state = 'active'
      AND (l.lease_until IS NULL OR l.lease_until < clock_timestamp())
      AND EXISTS (
        SELECT 1 FROM work w WHERE w.lane_id = l.id AND (
          (w.state = 'waiting' AND w.due_at <= clock_timestamp() AND (ring.is_old OR w.due_at > ring.at)
            AND (w.due_on IS NULL OR w.due_on <= billing_today(p.timezone))
            AND NOT EXISTS (SELECT 1 FROM work d WHERE d.id = ANY(w.after) AND d.state <> 'done'))
          OR (w.state = 'sending' AND w.lease_until < clock_timestamp()
            AND (ring.is_old OR w.lease_until > ring.at))))
    ORDER BY l.rung_at NULLS FIRST LIMIT at_most)
  RETURNING id;
  PERFORM set_config('app.lookup', '', true);
END $$;
