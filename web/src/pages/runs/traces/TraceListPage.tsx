/* The traces of the project or of one experiment; without any, how to send the first. */
import { useQuery } from "@tanstack/react-query";
import { ListTree } from "lucide-react";
import { experimentsQuery } from "../../../api/experiments";
import { BareSelect } from "../../../components/Field";
import { EmptyState } from "../../../components/Status";
import { Card, Page } from "../../../components/Surface";
import { useI18n } from "../../../i18n/i18n";
import { useParam, useSearchState } from "../../../lib/urlState";
import { LogFromCode } from "../LogFromCode";
import { SiblingTabs } from "../SiblingTabs";
import { TraceList } from "./TraceList";

export default function TraceListPage() {
    const { t } = useI18n();
    const project = useParam("project");
    const [search, setSearch] = useSearchState();
    const { data: experiments } = useQuery(experimentsQuery(project));
    const experiment = experiments?.items.find((item) => item.id === search.experiment);
    const empty = (
        <div className="stack">
            <EmptyState icon={ListTree} title={t("traces.empty.title")} body={t("traces.empty.body")} />
            <Card title={t("traces.log.title")}>
                <LogFromCode experiment={experiment} traces />
            </Card>
        </div>
    );
    return (
        <Page
            title={experiment?.name ?? t("nav.traces")}
            lead={t("traces.lead")}
            {...(search.experiment ? { crumbs: [{ label: t("nav.experiments"), to: `/projects/${project}/experiments` }, { label: t("nav.traces"), to: `/projects/${project}/traces` }] } : {})}
        >
            <SiblingTabs project={project} experiment={search.experiment} here="traces" />
            <TraceList project={project} scope={search.experiment ? { experiment: search.experiment } : {}} empty={empty}>
                <BareSelect label={t("field.experiment")} value={search.experiment ?? ""} onChange={(event) => setSearch({ experiment: event.target.value })}>
                    <option value="">{t("filter.all_experiments")}</option>
                    {experiments?.items.map((item) => (
                        <option key={item.id} value={item.id}>
                            {item.folder === "" ? item.name : `${item.folder}/${item.name}`}
                        </option>
                    ))}
                </BareSelect>
            </TraceList>
        </Page>
    );
}
