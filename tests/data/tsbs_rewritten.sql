-- The TSBS texts that use what SQLite's SQL does not have, LATERAL and DISTINCT ON, rewritten by hand. Each stands below the text
-- that it replaces, under the name that the text has in the shared tsbs_answers.jsonl. All others run as they are.
--
--  - A LATERAL subquery that takes the newest point of t.id is an ordinary one that takes the newest of each tags_id: beside max(),
--    SQLite gives the other columns of the row that has the maximum.
--  - A LATERAL subquery that does not name the outer table is an ordinary subquery.
--  - DISTINCT ON (t.hostname) is left out with the LATERAL inside it: hostnames are unique in `tags`, so there is one row for each.

-- lastpoint#0
--   SELECT DISTINCT ON (t.hostname) * FROM tags t INNER JOIN LATERAL(SELECT * FROM cpu c WHERE c.tags_id = t.id ORDER BY time DESC LIMIT 1) AS b ON true ORDER BY t.hostname, b.time DESC
SELECT t.*, b.*
    FROM tags t INNER JOIN
      (SELECT max(time) AS time, tags_id, usage_user, usage_system, usage_idle, usage_nice, usage_iowait, usage_irq, usage_softirq, usage_steal,
          usage_guest, usage_guest_nice
      FROM cpu
      GROUP BY tags_id) AS b ON b.tags_id = t.id
    ORDER BY t.hostname, b.time DESC;

-- last-loc#1
--   SELECT t.name AS name, t.driver AS driver, r.*
--       FROM tags t INNER JOIN LATERAL
--         (SELECT longitude, latitude
--         FROM readings r
--         WHERE r.tags_id=t.id
--         ORDER BY time DESC LIMIT 1)  r ON true
--       WHERE t.name IS NOT NULL
--       AND t.fleet = 'North'
SELECT t.name AS name, t.driver AS driver, r.longitude, r.latitude
    FROM tags t INNER JOIN
      (SELECT max(time), tags_id, longitude, latitude
      FROM readings
      GROUP BY tags_id) r ON r.tags_id = t.id
    WHERE t.name IS NOT NULL
    AND t.fleet = 'North';

-- last-loc#3
--   SELECT t.name AS name, t.driver AS driver, r.*
--       FROM tags t INNER JOIN LATERAL
--         (SELECT longitude, latitude
--         FROM readings r
--         WHERE r.tags_id=t.id
--         ORDER BY time DESC LIMIT 1)  r ON true
--       WHERE t.name IS NOT NULL
--       AND t.fleet = 'West'
SELECT t.name AS name, t.driver AS driver, r.longitude, r.latitude
    FROM tags t INNER JOIN
      (SELECT max(time), tags_id, longitude, latitude
      FROM readings
      GROUP BY tags_id) r ON r.tags_id = t.id
    WHERE t.name IS NOT NULL
    AND t.fleet = 'West';

-- single-last-loc#1
--   SELECT t.name AS name, t.driver AS driver, r.*
--       FROM tags t INNER JOIN LATERAL
--         (SELECT longitude, latitude
--         FROM readings r
--         WHERE r.tags_id=t.id
--         ORDER BY time DESC LIMIT 1)  r ON true
--       WHERE t.name IN ('truck_28')
SELECT t.name AS name, t.driver AS driver, r.longitude, r.latitude
    FROM tags t INNER JOIN
      (SELECT max(time), tags_id, longitude, latitude
      FROM readings
      GROUP BY tags_id) r ON r.tags_id = t.id
    WHERE t.name IN ('truck_28');

-- single-last-loc#3
--   SELECT t.name AS name, t.driver AS driver, r.*
--       FROM tags t INNER JOIN LATERAL
--         (SELECT longitude, latitude
--         FROM readings r
--         WHERE r.tags_id=t.id
--         ORDER BY time DESC LIMIT 1)  r ON true
--       WHERE t.name IN ('truck_36')
SELECT t.name AS name, t.driver AS driver, r.longitude, r.latitude
    FROM tags t INNER JOIN
      (SELECT max(time), tags_id, longitude, latitude
      FROM readings
      GROUP BY tags_id) r ON r.tags_id = t.id
    WHERE t.name IN ('truck_36');

-- low-fuel#1
--   SELECT t.name AS name, t.driver AS driver, d.*
--       FROM tags t INNER JOIN LATERAL
--         (SELECT fuel_state
--         FROM diagnostics d
--         WHERE d.tags_id=t.id
--         ORDER BY time DESC LIMIT 1) d ON true
--       WHERE t.name IS NOT NULL
--       AND d.fuel_state < 0.1
--       AND t.fleet = 'North'
SELECT t.name AS name, t.driver AS driver, d.fuel_state
    FROM tags t INNER JOIN
      (SELECT max(time), tags_id, fuel_state
      FROM diagnostics
      GROUP BY tags_id) d ON d.tags_id = t.id
    WHERE t.name IS NOT NULL
    AND d.fuel_state < 0.1
    AND t.fleet = 'North';

-- low-fuel#3
--   SELECT t.name AS name, t.driver AS driver, d.*
--       FROM tags t INNER JOIN LATERAL
--         (SELECT fuel_state
--         FROM diagnostics d
--         WHERE d.tags_id=t.id
--         ORDER BY time DESC LIMIT 1) d ON true
--       WHERE t.name IS NOT NULL
--       AND d.fuel_state < 0.1
--       AND t.fleet = 'East'
SELECT t.name AS name, t.driver AS driver, d.fuel_state
    FROM tags t INNER JOIN
      (SELECT max(time), tags_id, fuel_state
      FROM diagnostics
      GROUP BY tags_id) d ON d.tags_id = t.id
    WHERE t.name IS NOT NULL
    AND d.fuel_state < 0.1
    AND t.fleet = 'East';

-- high-load#1
--   SELECT t.name AS name, t.driver AS driver, d.*
--       FROM tags t INNER JOIN LATERAL
--         (SELECT current_load
--         FROM diagnostics d
--         WHERE d.tags_id=t.id
--         ORDER BY time DESC LIMIT 1) d ON true
--       WHERE t.name IS NOT NULL
--       AND d.current_load/t.load_capacity > 0.9
--       AND t.fleet = 'West'
SELECT t.name AS name, t.driver AS driver, d.current_load
    FROM tags t INNER JOIN
      (SELECT max(time), tags_id, current_load
      FROM diagnostics
      GROUP BY tags_id) d ON d.tags_id = t.id
    WHERE t.name IS NOT NULL
    AND d.current_load/t.load_capacity > 0.9
    AND t.fleet = 'West';

-- high-load#3
--   SELECT t.name AS name, t.driver AS driver, d.*
--       FROM tags t INNER JOIN LATERAL
--         (SELECT current_load
--         FROM diagnostics d
--         WHERE d.tags_id=t.id
--         ORDER BY time DESC LIMIT 1) d ON true
--       WHERE t.name IS NOT NULL
--       AND d.current_load/t.load_capacity > 0.9
--       AND t.fleet = 'North'
SELECT t.name AS name, t.driver AS driver, d.current_load
    FROM tags t INNER JOIN
      (SELECT max(time), tags_id, current_load
      FROM diagnostics
      GROUP BY tags_id) d ON d.tags_id = t.id
    WHERE t.name IS NOT NULL
    AND d.current_load/t.load_capacity > 0.9
    AND t.fleet = 'North';

-- long-driving-sessions#1
--   SELECT t.name AS name, t.driver AS driver
--       FROM tags t
--       INNER JOIN LATERAL
--         (SELECT  time_bucket('10 minutes', time) AS ten_minutes, tags_id
--         FROM readings
--         WHERE time >= '2016-01-01 23:57:20.043220 +0000' AND time < '2016-01-02 03:57:20.043220 +0000'
--         GROUP BY ten_minutes, tags_id
--         HAVING avg(velocity) > 1
--         ORDER BY ten_minutes, tags_id) AS r ON t.id = r.tags_id
--       WHERE t.name IS NOT NULL
--       AND t.fleet = 'South'
--       GROUP BY name, driver
--       HAVING count(r.ten_minutes) > 22
SELECT t.name AS name, t.driver AS driver
    FROM tags t
    INNER JOIN
      (SELECT  time_bucket('10 minutes', time) AS ten_minutes, tags_id
      FROM readings
      WHERE time >= '2016-01-01 23:57:20.043220 +0000' AND time < '2016-01-02 03:57:20.043220 +0000'
      GROUP BY ten_minutes, tags_id
      HAVING avg(velocity) > 1
      ORDER BY ten_minutes, tags_id) AS r ON t.id = r.tags_id
    WHERE t.name IS NOT NULL
    AND t.fleet = 'South'
    GROUP BY name, driver
    HAVING count(r.ten_minutes) > 22;

-- long-driving-sessions#3
--   SELECT t.name AS name, t.driver AS driver
--       FROM tags t
--       INNER JOIN LATERAL
--         (SELECT  time_bucket('10 minutes', time) AS ten_minutes, tags_id
--         FROM readings
--         WHERE time >= '2016-01-01 14:42:03.025849 +0000' AND time < '2016-01-01 18:42:03.025849 +0000'
--         GROUP BY ten_minutes, tags_id
--         HAVING avg(velocity) > 1
--         ORDER BY ten_minutes, tags_id) AS r ON t.id = r.tags_id
--       WHERE t.name IS NOT NULL
--       AND t.fleet = 'West'
--       GROUP BY name, driver
--       HAVING count(r.ten_minutes) > 22
SELECT t.name AS name, t.driver AS driver
    FROM tags t
    INNER JOIN
      (SELECT  time_bucket('10 minutes', time) AS ten_minutes, tags_id
      FROM readings
      WHERE time >= '2016-01-01 14:42:03.025849 +0000' AND time < '2016-01-01 18:42:03.025849 +0000'
      GROUP BY ten_minutes, tags_id
      HAVING avg(velocity) > 1
      ORDER BY ten_minutes, tags_id) AS r ON t.id = r.tags_id
    WHERE t.name IS NOT NULL
    AND t.fleet = 'West'
    GROUP BY name, driver
    HAVING count(r.ten_minutes) > 22;

-- long-daily-sessions#1
--   SELECT t.name AS name, t.driver AS driver
--       FROM tags t
--       INNER JOIN LATERAL
--         (SELECT  time_bucket('10 minutes', time) AS ten_minutes, tags_id
--         FROM readings
--         WHERE time >= '2016-01-01 01:15:41.334101 +0000' AND time < '2016-01-02 01:15:41.334101 +0000'
--         GROUP BY ten_minutes, tags_id
--         HAVING avg(velocity) > 1
--         ORDER BY ten_minutes, tags_id) AS r ON t.id = r.tags_id
--       WHERE t.name IS NOT NULL
--       AND t.fleet = 'South'
--       GROUP BY name, driver
--       HAVING count(r.ten_minutes) > 60
SELECT t.name AS name, t.driver AS driver
    FROM tags t
    INNER JOIN
      (SELECT  time_bucket('10 minutes', time) AS ten_minutes, tags_id
      FROM readings
      WHERE time >= '2016-01-01 01:15:41.334101 +0000' AND time < '2016-01-02 01:15:41.334101 +0000'
      GROUP BY ten_minutes, tags_id
      HAVING avg(velocity) > 1
      ORDER BY ten_minutes, tags_id) AS r ON t.id = r.tags_id
    WHERE t.name IS NOT NULL
    AND t.fleet = 'South'
    GROUP BY name, driver
    HAVING count(r.ten_minutes) > 60;

-- long-daily-sessions#3
--   SELECT t.name AS name, t.driver AS driver
--       FROM tags t
--       INNER JOIN LATERAL
--         (SELECT  time_bucket('10 minutes', time) AS ten_minutes, tags_id
--         FROM readings
--         WHERE time >= '2016-01-01 05:34:47.904094 +0000' AND time < '2016-01-02 05:34:47.904094 +0000'
--         GROUP BY ten_minutes, tags_id
--         HAVING avg(velocity) > 1
--         ORDER BY ten_minutes, tags_id) AS r ON t.id = r.tags_id
--       WHERE t.name IS NOT NULL
--       AND t.fleet = 'North'
--       GROUP BY name, driver
--       HAVING count(r.ten_minutes) > 60
SELECT t.name AS name, t.driver AS driver
    FROM tags t
    INNER JOIN
      (SELECT  time_bucket('10 minutes', time) AS ten_minutes, tags_id
      FROM readings
      WHERE time >= '2016-01-01 05:34:47.904094 +0000' AND time < '2016-01-02 05:34:47.904094 +0000'
      GROUP BY ten_minutes, tags_id
      HAVING avg(velocity) > 1
      ORDER BY ten_minutes, tags_id) AS r ON t.id = r.tags_id
    WHERE t.name IS NOT NULL
    AND t.fleet = 'North'
    GROUP BY name, driver
    HAVING count(r.ten_minutes) > 60;
