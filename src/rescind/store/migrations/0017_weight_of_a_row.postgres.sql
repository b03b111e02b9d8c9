-- What the planner takes a row of the view `effective_permission` to cost: about as much as reading it from a table and an
-- index. In PL/pgSQL, since a function in SQL is replaced by its body. The view stands in no need of its answer.

CREATE FUNCTION rescind_weight(is_allowed boolean) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 400 AS $$
BEGIN
    RETURN is_allowed;
END
$$;

-- Whoever is granted the view needs no other grant, also where functions are not everybody's by default.

GRANT EXECUTE ON FUNCTION rescind_weight(boolean) TO PUBLIC;
