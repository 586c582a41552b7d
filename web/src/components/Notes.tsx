/* A text in Markdown that is read most of the time and written now and then, with a look at what it becomes. */
import { Pencil } from "lucide-react";
import { useState } from "react";
import { useI18n } from "../i18n/i18n";
import { Button } from "./Button";
import { Textarea } from "./Field";
import { Markdown } from "./Markdown";
import { Card } from "./Surface";

interface NotesProps {
    title: string;
    label: string;
    text: string;
    /** Absent: it can only be read. */
    onSave?: ((text: string, done: () => void) => void) | undefined;
    busy: boolean;
}

const MOST = 100_000;

export function Notes({ title, label, text, onSave, busy }: NotesProps) {
    const { t } = useI18n();
    const [draft, setDraft] = useState<string | null>(null);
    const [preview, setPreview] = useState(false);
    const done = () => {
        setDraft(null);
        setPreview(false);
    };
    const edit = onSave && draft === null && (
        <Button small variant="ghost" icon={Pencil} onClick={() => setDraft(text)}>
            {t("notes.edit")}
        </Button>
    );
    return (
        <Card title={title} actions={edit}>
            {draft === null ? (
                text.trim() === "" ? <p className="muted">{t("notes.none")}</p> : <Markdown text={text} />
            ) : (
                <div className="stack-s">
                    {preview ? (
                        <Markdown text={draft} />
                    ) : (
                        <Textarea label={label} hint={t("notes.hint")} rows={8} maxLength={MOST} value={draft} autoFocus onChange={(event) => setDraft(event.target.value)} />
                    )}
                    <div className="row wrap">
                        <Button small variant="primary" disabled={draft === text} busy={busy} onClick={() => onSave?.(draft, done)}>
                            {t("action.save")}
                        </Button>
                        <Button small onClick={() => setPreview(!preview)}>
                            {t(preview ? "notes.write" : "notes.preview")}
                        </Button>
                        <Button small variant="ghost" onClick={done}>
                            {t("action.cancel")}
                        </Button>
                    </div>
                </div>
            )}
        </Card>
    );
}
