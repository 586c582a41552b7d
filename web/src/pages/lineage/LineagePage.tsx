/* The lineage graph around one object. Node, direction and depth are in the URL. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Crosshair, Waypoints } from "lucide-react";
import { useState } from "react";
import { lineageQuery, type LineageView } from "../../api/projects";
import { runsQuery } from "../../api/runs";
import type { LineageNode } from "../../api/types";
import { Button, ButtonLink } from "../../components/Button";
import { Toolbar } from "../../components/DataTable";
import { BareSelect } from "../../components/Field";
import { Answer, Badge, EmptyState } from "../../components/Status";
import { Page } from "../../components/Surface";
import { toastError } from "../../components/Toaster";
import { useI18n } from "../../i18n/i18n";
import { useParam, useSearchState, type Search } from "../../lib/urlState";
import { LineageGraphView } from "./LineageGraphView";
import { pathOfNode } from "./pathOfNode";

const DIRECTIONS = ["both", "up", "down"] as const;
const DEPTHS = [1, 2, 3, 5, 10, 20];
const DEFAULT_DEPTH = 5;

function viewOf(search: Search, fallback: string): LineageView {
    const direction = DIRECTIONS.find((name) => name === search.direction) ?? "both";
    return { node: search.node ?? fallback, direction, depth: Number(search.depth) || DEFAULT_DEPTH };
}

export default function LineagePage() {
    const { t, tn } = useI18n();
    const project = useParam("project");
    const navigate = useNavigate();
    const [search, setSearch] = useSearchState();
    const [selected, setSelected] = useState<LineageNode | null>(null);
    const runs = useInfiniteQuery({ ...runsQuery(project, {}, 1), enabled: !search.node });
    const newest = runs.data?.pages[0]?.items[0];
    const view = viewOf(search, newest ? `run:${newest.id}` : "");
    const query = useQuery(lineageQuery(view));
    const cache = useQueryClient();
    const open = async (node: LineageNode) => {
        const path = await pathOfNode(node, project, cache);
        if (path) void navigate(path);
        else setSearch({ node: node.id });
    };
    if (view.node === "") {
        return (
            <Page title={t("nav.lineage")}>
                <Answer query={runs}>
                    {() => (
                        <EmptyState icon={Waypoints} title={t("lineage.empty.title")} body={t("lineage.empty.body")}>
                            <ButtonLink variant="primary" to="/projects/$project/datasets" params={{ project }} search={{}}>
                                {t("nav.datasets")}
                            </ButtonLink>
                        </EmptyState>
                    )}
                </Answer>
            </Page>
        );
    }
    return (
        <Page title={t("nav.lineage")} lead={t("lineage.lead")} badge={query.data?.truncated && <Badge>{t("lineage.truncated")}</Badge>}>
            <Toolbar>
                <BareSelect label={t("lineage.direction")} value={view.direction} onChange={(event) => setSearch({ direction: event.target.value })}>
                    {DIRECTIONS.map((direction) => (
                        <option key={direction} value={direction}>
                            {t(`lineage.${direction}`)}
                        </option>
                    ))}
                </BareSelect>
                <BareSelect label={t("lineage.depth")} value={view.depth} onChange={(event) => setSearch({ depth: event.target.value })}>
                    {DEPTHS.map((depth) => (
                        <option key={depth} value={depth}>
                            {tn("lineage.steps", depth)}
                        </option>
                    ))}
                </BareSelect>
                <Button icon={Crosshair} disabled={!selected || selected.id === view.node} onClick={() => selected && setSearch({ node: selected.id })}>
                    {t("lineage.focus")}
                </Button>
                <span className="grow" />
                <span className="faint small">{t("lineage.keys")}</span>
            </Toolbar>
            <Answer query={query}>
                {(graph) => <LineageGraphView graph={graph} selected={selected?.id ?? graph.root} onSelect={setSelected} onOpen={(node) => void open(node).catch(toastError)} />}
            </Answer>
        </Page>
    );
}
