/*
 * Draws a glyph with the pointer, or with the keyboard: arrows move the pen, Space puts it down or lifts
 * it, Backspace clears. Ink is white on black, as in the sets the models learned from.
 */
import { useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { useI18n } from "../../i18n/i18n";
import { clamp } from "../../lib/clamp";
import { cx } from "../../lib/cx";
import type { Bitmap } from "../../lib/digit";
import css from "./Try.module.css";

const SIZE = 280;
const PEN_WIDTH = 26;
const KEY_STEP = 12;
const STEPS: Record<string, [number, number]> = {
    ArrowLeft: [-KEY_STEP, 0],
    ArrowRight: [KEY_STEP, 0],
    ArrowUp: [0, -KEY_STEP],
    ArrowDown: [0, KEY_STEP],
};

interface Point {
    x: number;
    y: number;
}

function inkOf(canvas: HTMLCanvasElement): Bitmap {
    const { data } = canvas.getContext("2d", { willReadFrequently: true })!.getImageData(0, 0, SIZE, SIZE);
    const ink = new Uint8ClampedArray(SIZE * SIZE);
    for (let i = 0; i < ink.length; i++) ink[i] = data[i * 4 + 3]!;
    return { width: SIZE, height: SIZE, ink };
}

function stroke(canvas: HTMLCanvasElement, from: Point, to: Point): void {
    const ctx = canvas.getContext("2d", { willReadFrequently: true })!;
    ctx.strokeStyle = "#fff";
    ctx.lineWidth = PEN_WIDTH;
    ctx.lineCap = "round";
    ctx.beginPath();
    ctx.moveTo(from.x, from.y);
    ctx.lineTo(to.x + 0.01, to.y);
    ctx.stroke();
}

export function DrawPad({ onInk, onClear }: { onInk: (ink: Bitmap) => void; onClear: () => void }) {
    const { t } = useI18n();
    const canvas = useRef<HTMLCanvasElement>(null);
    const last = useRef<Point | null>(null);
    const [pen, setPen] = useState<(Point & { down: boolean }) | null>(null);
    const [empty, setEmpty] = useState(true);

    const draw = (from: Point, to: Point) => {
        stroke(canvas.current!, from, to);
        setEmpty(false);
        onInk(inkOf(canvas.current!));
    };
    const clear = () => {
        canvas.current!.getContext("2d")!.clearRect(0, 0, SIZE, SIZE);
        setEmpty(true);
        onClear();
    };
    const at = (event: PointerEvent): Point => {
        const box = event.currentTarget.getBoundingClientRect();
        return { x: ((event.clientX - box.left) / box.width) * SIZE, y: ((event.clientY - box.top) / box.height) * SIZE };
    };
    const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        last.current = at(event);
        draw(last.current, last.current);
    };
    const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
        if (!last.current) return;
        const next = at(event);
        draw(last.current, next);
        last.current = next;
    };
    const onKey = (event: KeyboardEvent) => {
        const from = pen ?? { x: SIZE / 2, y: SIZE / 2, down: false };
        const step = STEPS[event.key];
        if (step) {
            const to = { x: clamp(from.x + step[0], 0, SIZE), y: clamp(from.y + step[1], 0, SIZE) };
            if (from.down) draw(from, to);
            setPen({ ...to, down: from.down });
        } else if (event.key === " ") {
            if (!from.down) draw(from, from);
            setPen({ ...from, down: !from.down });
        } else if (event.key === "Backspace" || event.key === "Delete") clear();
        else return;
        event.preventDefault();
        event.stopPropagation();
    };

    return (
        <div
            className={css.pad}
            role="application"
            tabIndex={0}
            aria-label={t("try.pad")}
            aria-roledescription={t("try.pad.role")}
            data-keys="own"
            data-pad
            onPointerDown={onPointerDown}
            onPointerMove={onPointerMove}
            onPointerUp={() => (last.current = null)}
            onPointerCancel={() => (last.current = null)}
            onKeyDown={onKey}
            onFocus={(event) => {
                if (event.currentTarget.matches(":focus-visible")) setPen((old) => old ?? { x: SIZE / 2, y: SIZE / 2, down: false });
            }}
            onBlur={() => setPen(null)}
        >
            <canvas ref={canvas} width={SIZE} height={SIZE} />
            {empty && <span className={css.hint}>{t("try.pad.hint")}</span>}
            {pen && (
                <span
                    className={cx(css.pen, pen.down && css.down)}
                    style={{ left: `${(pen.x / SIZE) * 100}%`, top: `${(pen.y / SIZE) * 100}%` }}
                />
            )}
        </div>
    );
}
