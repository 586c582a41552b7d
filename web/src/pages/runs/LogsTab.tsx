/* The log of a run, followed while it runs. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { logsQuery } from "../../api/jobs";
import { LogView } from "../../components/LogView";
import { Answer } from "../../components/Status";
import { useSearchState } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";

export function LogsTab({ run, pollMs }: { run: string; pollMs: number | false }) {
    const [search, setSearch] = useSearchState();
    const text = search.log ?? "";
    const query = useInfiniteQuery({ ...logsQuery("runs", run, text), refetchInterval: pollMs });
    const { rows, onEnd } = useRows(query);
    return (
        <Answer query={query}>
            {() => <LogView lines={rows} search={text} onSearch={(log) => setSearch({ log })} hasMore={query.hasNextPage} onMore={onEnd} />}
        </Answer>
    );
}
