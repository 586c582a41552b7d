/* Tries a table model: a form made from its signature. */
import { useState, type FormEvent } from "react";
import type { ServableVersion } from "../../api/types";
import { Button } from "../../components/Button";
import { Input } from "../../components/Field";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { badNumbers, tableInputs } from "../../lib/tableInputs";
import { AnswerCard } from "./AnswerCard";
import css from "./Try.module.css";
import { usePrediction } from "./usePrediction";

export function TryTable({ version }: { version: ServableVersion }) {
    const { t } = useI18n();
    const { prediction, error, busy, ask } = usePrediction(version.id);
    const [texts, setTexts] = useState<Record<string, string>>({});
    const [bad, setBad] = useState<string[]>([]);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        const wrong = badNumbers(version.signature, texts);
        setBad(wrong);
        if (wrong.length === 0) void ask(tableInputs(version.signature, texts));
    };
    return (
        <div className="grid-2">
            <Card title={t("version.inputs")}>
                <form className="stack" onSubmit={submit} noValidate>
                    <div className={css.form}>
                        {version.signature.inputs.map((input) => (
                            <Input
                                key={input.name}
                                label={input.name}
                                hint={input.datatype}
                                inputMode={input.datatype === "BYTES" ? "text" : "decimal"}
                                value={texts[input.name] ?? ""}
                                error={bad.includes(input.name) ? t("try.number") : null}
                                onChange={(event) => setTexts({ ...texts, [input.name]: event.target.value })}
                            />
                        ))}
                    </div>
                    <div className="row">
                        <Button type="submit" variant="primary" busy={busy}>
                            {t("try.predict")}
                        </Button>
                    </div>
                </form>
            </Card>
            <AnswerCard prediction={prediction} classes={version.classes} error={error} busy={busy} emptyBody={t("try.table.body")} />
        </div>
    );
}
