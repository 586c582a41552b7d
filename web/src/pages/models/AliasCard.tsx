/* A model's aliases: names that point at one of its versions, moved by giving them to another. */
import { Plus, X } from "lucide-react";
import { useState, type FormEvent } from "react";
import { useAlias } from "../../api/models";
import type { Model } from "../../api/types";
import { Button } from "../../components/Button";
import { BareInput, BareSelect } from "../../components/Field";
import { Badge } from "../../components/Status";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import css from "./Registry.module.css";

const PATTERN = "[A-Za-z0-9_\\-]{1,255}";

export function AliasCard({ model, may, versions }: { model: Model; may: boolean; versions: number[] }) {
    const { t } = useI18n();
    const alias = useAlias(model.id);
    const [name, setName] = useState("");
    const [version, setVersion] = useState("");
    const target = version === "" ? versions[0] : Number(version);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (target !== undefined) alias.mutate({ alias: name, version: target }, { onSuccess: () => setName("") });
    };
    return (
        <Card title={t("model.aliases")}>
            <div className="stack-s">
                {Object.keys(model.aliases).length === 0 && <p className="muted">{t("model.aliases.none")}</p>}
                <ul className="stack-s">
                    {Object.entries(model.aliases).map(([key, number]) => (
                        <li key={key} className="row">
                            <Badge>@{key}</Badge>
                            <BareSelect label={t("model.alias.of", { alias: key })} className={css.narrow} value={number} disabled={alias.isPending || !may} onChange={(event) => alias.mutate({ alias: key, version: Number(event.target.value) })}>
                                {[...new Set([number, ...versions])].map((item) => (
                                    <option key={item} value={item}>
                                        {t("version.short", { n: item })}
                                    </option>
                                ))}
                            </BareSelect>
                            {may && <Button small variant="ghost" icon={X} aria-label={t("model.alias.remove", { alias: key })} onClick={() => alias.mutate({ alias: key, version: null })} />}
                        </li>
                    ))}
                </ul>
                {may && versions.length > 0 && (
                    <form className="row wrap" onSubmit={submit}>
                        <BareInput label={t("model.alias.name")} placeholder={t("model.alias.name")} className={css.alias} required pattern={PATTERN} value={name} onChange={(event) => setName(event.target.value)} />
                        <BareSelect label={t("field.version")} className={css.narrow} value={target} onChange={(event) => setVersion(event.target.value)}>
                            {versions.map((item) => (
                                <option key={item} value={item}>
                                    {t("version.short", { n: item })}
                                </option>
                            ))}
                        </BareSelect>
                        <Button small type="submit" icon={Plus} busy={alias.isPending}>
                            {t("model.alias.add")}
                        </Button>
                    </form>
                )}
            </div>
        </Card>
    );
}
