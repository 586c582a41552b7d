/* The command palette: objects of the project and actions, found by typing a part of their name. */
import * as Radix from "@radix-ui/react-dialog";
import type { LucideIcon } from "lucide-react";
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useI18n } from "../i18n/i18n";
import { clamp } from "../lib/clamp";
import { cx } from "../lib/cx";
import { rankMatches } from "../lib/rankMatches";
import css from "./Palette.module.css";
import { useCommands } from "./useCommands";

export interface Command {
    id: string;
    group: string;
    label: string;
    detail?: string;
    icon: LucideIcon;
    run: () => void;
}

interface PaletteProps {
    open: boolean;
    onClose: () => void;
    onKeys: () => void;
    project: string;
}

const MOST_SHOWN = 40;

export function Palette(props: PaletteProps) {
    return (
        <Radix.Root open={props.open} onOpenChange={(next) => !next && props.onClose()}>
            <Radix.Portal>
                <div className={css.veil} />
                <PaletteBox {...props} />
            </Radix.Portal>
        </Radix.Root>
    );
}

function PaletteBox({ onClose, onKeys, project }: PaletteProps) {
    const { t } = useI18n();
    const listId = useId();
    const list = useRef<HTMLDivElement>(null);
    const [text, setText] = useState("");
    const [active, setActive] = useState(0);
    const commands = useCommands(project, onKeys);
    const found = useMemo(
        () => rankMatches(commands, text, (command) => command.label).slice(0, MOST_SHOWN),
        [commands, text],
    );
    useEffect(() => {
        list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
    }, [active]);

    const choose = (command: Command | undefined) => {
        if (!command) return;
        onClose();
        command.run();
    };
    const onKey = (event: KeyboardEvent) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step) {
            event.preventDefault();
            setActive(clamp(active + step, 0, found.length - 1));
        } else if (event.key === "Enter") {
            event.preventDefault();
            choose(found[active]);
        }
    };

    return (
        <Radix.Content className={css.box} aria-describedby={undefined}>
            <Radix.Title className="visually-hidden">{t("palette.title")}</Radix.Title>
            <input
                className={css.input}
                role="combobox"
                aria-expanded
                aria-controls={listId}
                aria-activedescendant={found[active] ? `${listId}-${active}` : undefined}
                aria-label={t("palette.title")}
                placeholder={t("palette.placeholder")}
                value={text}
                onChange={(event) => {
                    setText(event.target.value);
                    setActive(0);
                }}
                onKeyDown={onKey}
            />
            <div ref={list} id={listId} className={css.list} role="listbox" aria-label={t("palette.title")}>
                {found.length === 0 && <p className={css.none}>{t("palette.none")}</p>}
                {found.map((command, index) => (
                    <div key={command.id}>
                        {(index === 0 || found[index - 1]!.group !== command.group) && (
                            <div className={css.group}>{command.group}</div>
                        )}
                        <div
                            id={`${listId}-${index}`}
                            role="option"
                            aria-selected={index === active}
                            className={cx(css.item, index === active && css.on)}
                            onMouseMove={() => setActive(index)}
                            onClick={() => choose(command)}
                        >
                            <command.icon size={15} aria-hidden />
                            <span className="truncate">{command.label}</span>
                            {command.detail && <small>{command.detail}</small>}
                        </div>
                    </div>
                ))}
            </div>
        </Radix.Content>
    );
}
