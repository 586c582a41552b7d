/*
 * Tries an image model: draw a glyph or give a picture. A drawing is centred as the training sets were and
 * sent at the model's own size; a picture is sent untouched, the server prepares it.
 */
import { Eraser } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { ServableVersion } from "../../api/types";
import { Button } from "../../components/Button";
import { FileDrop } from "../../components/FileDrop";
import { Card } from "../../components/Surface";
import { toastError } from "../../components/Toaster";
import { useI18n } from "../../i18n/i18n";
import { bitmapPng } from "../../lib/bitmapPng";
import { centreGlyph, type Bitmap } from "../../lib/digit";
import { AnswerCard } from "./AnswerCard";
import { DrawPad } from "./DrawPad";
import css from "./Try.module.css";
import { usePrediction } from "./usePrediction";

const ASK_DELAY_MS = 180;

export function TryImage({ version }: { version: ServableVersion }) {
    const { t } = useI18n();
    const { prediction, error, busy, ask, reset } = usePrediction(version.id);
    const [, height = 28, width = 28] = version.input_shape;
    const [pads, setPads] = useState(0);
    const [picture, setPicture] = useState<string | null>(null);
    const [seen, setSeen] = useState<string | null>(null);
    const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
    useEffect(() => () => clearTimeout(timer.current), []);
    useRevoked(picture);
    useRevoked(seen);

    const onInk = (ink: Bitmap) => {
        clearTimeout(timer.current);
        timer.current = setTimeout(() => {
            const glyph = centreGlyph(ink, width, height);
            if (glyph) void bitmapPng(glyph).then(sendDrawing).catch(toastError);
        }, ASK_DELAY_MS);
    };
    const sendDrawing = (png: Blob) => {
        setPicture(null);
        setSeen(URL.createObjectURL(png));
        void ask(png);
    };
    const onPicture = ([file]: File[]) => {
        if (!file) return;
        clear();
        setPicture(URL.createObjectURL(file));
        void ask(file);
    };
    const clear = () => {
        clearTimeout(timer.current);
        setPads((old) => old + 1);
        setPicture(null);
        setSeen(null);
        reset();
    };

    return (
        <div className={css.try}>
            <div className="stack">
                <DrawPad key={pads} onInk={onInk} onClear={clear} />
                <div className="row spread">
                    <span className="faint small">{t("try.keys")}</span>
                    <Button small icon={Eraser} onClick={clear}>
                        {t("try.clear")}
                    </Button>
                </div>
                <FileDrop title={t("try.upload")} hint={t("try.upload.hint")} accept="image/png,image/jpeg,image/webp" onFiles={onPicture} />
            </div>
            <div className="stack">
                <AnswerCard prediction={prediction} classes={version.classes} error={error} busy={busy} emptyBody={t("try.empty.body")}>
                    <span className="grow" />
                    {seen && <img className={css.tile} src={seen} alt={t("try.seen")} title={t("try.seen")} />}
                </AnswerCard>
                {picture && (
                    <Card title={t("try.picture")}>
                        <img className={css.picture} src={picture} alt={t("try.picture")} />
                    </Card>
                )}
            </div>
        </div>
    );
}

function useRevoked(url: string | null): void {
    useEffect(() => () => {
        if (url) URL.revokeObjectURL(url);
    }, [url]);
}
