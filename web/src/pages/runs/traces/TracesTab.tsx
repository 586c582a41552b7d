/* The traces that were linked to a run. */
import { ListTree } from "lucide-react";
import { EmptyState } from "../../../components/Status";
import { useI18n } from "../../../i18n/i18n";
import { useParam } from "../../../lib/urlState";
import { TraceList } from "./TraceList";

export function TracesTab({ run }: { run: string }) {
    const { t } = useI18n();
    return <TraceList project={useParam("project")} scope={{ run }} empty={<EmptyState icon={ListTree} title={t("traces.empty.title")} body={t("traces.run.empty.body")} />} />;
}
