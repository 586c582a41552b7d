/*
 * The files of a run or of a logged model: a tree that is read level by level, and beside it what is in the chosen one. The choice is in
 * the URL. Keys: arrows walk the tree, right and left open and close, Enter shows.
 */
import { useInfiniteQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, File, Folder, Package } from "lucide-react";
import { useState, type KeyboardEvent } from "react";
import { artifactLevelQuery, type ArtifactOwner } from "../../api/artifacts";
import type { Artifact } from "../../api/types";
import { Button } from "../../components/Button";
import { Answer, EmptyState } from "../../components/Status";
import { useI18n } from "../../i18n/i18n";
import { cx } from "../../lib/cx";
import { formatBytes } from "../../lib/format";
import { useSearchState } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";
import { ArtifactPreview } from "./ArtifactPreview";
import { ArtifactUploads } from "./ArtifactUploads";
import css from "./Artifacts.module.css";

const INDENT_PX = 16;

interface LevelProps {
    owner: ArtifactOwner;
    path: string;
    depth: number;
    chosen: string;
    onChoose: (path: string) => void;
    pollMs: number | false;
}

/* Moves among what is visible; a directory is opened and closed by its own button. */
function onTreeKey(event: KeyboardEvent<HTMLElement>): void {
    const entries = [...event.currentTarget.querySelectorAll<HTMLButtonElement>("button")];
    const here = entries.indexOf(event.target as HTMLButtonElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const wanted = { ArrowRight: "false", ArrowLeft: "true" }[event.key];
    if (here < 0 || (!step && !wanted)) return;
    event.preventDefault();
    if (step) entries[here + step]?.focus();
    else if (entries[here]!.closest("[role=treeitem]")?.getAttribute("aria-expanded") === wanted) entries[here]!.click();
}

const baseName = (path: string) => path.slice(path.lastIndexOf("/") + 1);

interface TabProps {
    owner: ArtifactOwner;
    /** Delete and add files: not by viewers, and not to what is archived. */
    may: boolean;
    pollMs: number | false;
}

export function ArtifactsTab({ owner, may, pollMs }: TabProps) {
    const { t } = useI18n();
    const [search, setSearch] = useSearchState();
    const query = useInfiniteQuery({ ...artifactLevelQuery(owner, ""), refetchInterval: pollMs });
    const chosen = search.file ?? "";
    const browser = (
        <Answer query={query}>
            {(data) =>
                data.pages[0]!.items.length === 0 ? (
                    <EmptyState icon={Package} title={t("artifacts.empty.title")} body={t("artifacts.empty.body")} />
                ) : (
                    <div className={css.browser}>
                        <div className={css.tree} role="tree" aria-label={t("run.artifacts")} onKeyDown={onTreeKey}>
                            <Level owner={owner} path="" depth={0} chosen={chosen} onChoose={(file) => setSearch({ file })} pollMs={pollMs} />
                        </div>
                        <div className={css.preview}>
                            {chosen === "" ? (
                                <EmptyState icon={File} title={t("artifacts.choose.title")} body={t("artifacts.choose.body")} />
                            ) : (
                                <ArtifactPreview key={chosen} owner={owner} may={may} path={chosen} onGone={() => setSearch({ file: null })} />
                            )}
                        </div>
                    </div>
                )
            }
        </Answer>
    );
    return may ? <ArtifactUploads owner={owner}>{browser}</ArtifactUploads> : browser;
}

function Level({ owner, path, depth, chosen, onChoose, pollMs }: LevelProps) {
    const { t } = useI18n();
    const query = useInfiniteQuery({ ...artifactLevelQuery(owner, path), refetchInterval: depth === 0 ? pollMs : false });
    const { rows, onEnd } = useRows<Artifact>(query);
    return (
        <Answer query={query} lines={2}>
            {() => (
                <ul role="group">
                    {rows.map((entry) =>
                        entry.is_dir ? (
                            <Directory key={entry.name} owner={owner} path={entry.name} depth={depth} chosen={chosen} onChoose={onChoose} pollMs={pollMs} />
                        ) : (
                            <li key={entry.name} role="treeitem" aria-selected={entry.name === chosen}>
                                <button type="button" className={cx(css.entry, entry.name === chosen && css.chosen)} style={{ paddingLeft: 10 + (depth + 1) * INDENT_PX }} onClick={() => onChoose(entry.name)}>
                                    <File size={14} aria-hidden />
                                    <span className="truncate grow" title={entry.name}>{baseName(entry.name)}</span>
                                    <span className="faint num">{formatBytes(entry.size_bytes)}</span>
                                </button>
                            </li>
                        ),
                    )}
                    {query.hasNextPage && (
                        <li>
                            <Button small variant="ghost" onClick={onEnd}>
                                {t("logs.more")}
                            </Button>
                        </li>
                    )}
                </ul>
            )}
        </Answer>
    );
}

function Directory(props: LevelProps) {
    const { path, depth, chosen } = props;
    const [open, setOpen] = useState(chosen.startsWith(`${path}/`));
    return (
        <li role="treeitem" aria-expanded={open} aria-selected={false}>
            <button type="button" className={css.entry} style={{ paddingLeft: 10 + depth * INDENT_PX }} onClick={() => setOpen(!open)}>
                {open ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
                <Folder size={14} aria-hidden />
                <span className="truncate grow" title={path}>{baseName(path)}</span>
            </button>
            {open && <Level {...props} depth={depth + 1} />}
        </li>
    );
}
