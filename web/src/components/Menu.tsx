/* A drop-down menu of actions, choices and check marks. Not modal, so that it writes no style element. */
import * as Radix from "@radix-ui/react-dropdown-menu";
import { Check, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import css from "./Menu.module.css";

export function Menu({ trigger, align = "start", children }: { trigger: ReactNode; align?: "start" | "end"; children: ReactNode }) {
    return (
        <Radix.Root modal={false}>
            <Radix.Trigger asChild>{trigger}</Radix.Trigger>
            <Radix.Portal>
                <Radix.Content className={css.menu} align={align} sideOffset={6} collisionPadding={8}>
                    {children}
                </Radix.Content>
            </Radix.Portal>
        </Radix.Root>
    );
}

interface ItemProps {
    icon?: LucideIcon;
    onSelect: () => void;
    disabled?: boolean;
    children: ReactNode;
}

export function MenuItem({ icon: Icon, onSelect, disabled, children }: ItemProps) {
    return (
        <Radix.Item className={css.item} onSelect={onSelect} disabled={disabled ?? false}>
            {Icon && <Icon size={15} aria-hidden />}
            <span className="truncate">{children}</span>
        </Radix.Item>
    );
}

export function MenuChoice({ checked, onSelect, children }: { checked: boolean; onSelect: () => void; children: ReactNode }) {
    return (
        <Radix.CheckboxItem className={css.item} checked={checked} onSelect={onSelect}>
            <span className={css.check}>{checked && <Check size={14} aria-hidden />}</span>
            <span className="truncate">{children}</span>
        </Radix.CheckboxItem>
    );
}

/** A check mark that leaves the menu open. */
export function MenuToggle({ checked, onToggle, children }: { checked: boolean; onToggle: () => void; children: ReactNode }) {
    return (
        <Radix.CheckboxItem
            className={css.item}
            checked={checked}
            onSelect={(event) => {
                event.preventDefault();
                onToggle();
            }}
        >
            <span className={css.check}>{checked && <Check size={14} aria-hidden />}</span>
            <span className="truncate">{children}</span>
        </Radix.CheckboxItem>
    );
}

export function MenuLabel({ children }: { children: ReactNode }) {
    return <Radix.Label className={css.label}>{children}</Radix.Label>;
}

export function MenuLine() {
    return <Radix.Separator className={css.line} />;
}
