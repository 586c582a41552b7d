/* Fields for what is changed most. Each reads from the spec and writes a new one. */
import type { TrainSpec } from "../../api/types";
import { Input, Select } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";
import css from "./TrainPage.module.css";

const OPTIMIZERS = ["sgd", "adam", "adamw"] as const;
const SCHEDULES = ["constant", "step", "cosine", "one_cycle"] as const;
const DEVICES = ["auto", "cpu", "cuda"] as const;

interface KnobsProps {
    spec: TrainSpec;
    errorField: string | null;
    errorText: string | null;
    onChange: (spec: TrainSpec) => void;
}

export function Knobs({ spec, errorField, errorText, onChange }: KnobsProps) {
    const { t } = useI18n();
    const errorAt = (path: string) => (errorField?.replace(/^spec\./, "") === path ? errorText : null);
    const number = (text: string) => (text === "" ? 0 : Number(text));
    return (
        <div className={css.knobs}>
            <Input
                label={t("knob.epochs")} type="number" min={1} value={spec.epochs ?? ""} error={errorAt("epochs")}
                onChange={(event) => onChange({ ...spec, epochs: number(event.target.value) })}
            />
            <Input
                label={t("knob.batch_size")} type="number" min={1} value={spec.batch_size ?? ""} error={errorAt("batch_size")}
                onChange={(event) => onChange({ ...spec, batch_size: number(event.target.value) })}
            />
            <Input
                label={t("knob.lr")} type="number" min={0} step="any" value={spec.optimizer?.lr ?? ""} error={errorAt("optimizer.lr")}
                onChange={(event) => onChange({ ...spec, optimizer: { ...spec.optimizer, lr: number(event.target.value) } })}
            />
            <Select
                label={t("knob.optimizer")} value={spec.optimizer?.type ?? ""} error={errorAt("optimizer.type")}
                onChange={(event) => onChange({ ...spec, optimizer: { ...spec.optimizer, type: event.target.value } })}
            >
                {OPTIMIZERS.map((name) => (
                    <option key={name} value={name}>
                        {t(`optimizer.${name}`)}
                    </option>
                ))}
            </Select>
            <Select
                label={t("knob.schedule")} value={spec.schedule?.type ?? ""} error={errorAt("schedule.type")}
                onChange={(event) => onChange({ ...spec, schedule: { ...spec.schedule, type: event.target.value } })}
            >
                {SCHEDULES.map((name) => (
                    <option key={name} value={name}>
                        {t(`schedule.${name}`)}
                    </option>
                ))}
            </Select>
            <Input
                label={t("knob.weight_decay")} type="number" min={0} step="any" value={spec.optimizer?.weight_decay ?? ""} error={errorAt("optimizer.weight_decay")}
                onChange={(event) => onChange({ ...spec, optimizer: { ...spec.optimizer, weight_decay: number(event.target.value) } })}
            />
            <Input
                label={t("knob.seed")} type="number" min={0} value={spec.seed ?? ""} error={errorAt("seed")}
                onChange={(event) => onChange({ ...spec, seed: number(event.target.value) })}
            />
            <Select
                label={t("knob.device")} value={spec.device ?? "auto"} error={errorAt("device")}
                onChange={(event) => onChange({ ...spec, device: event.target.value })}
            >
                {DEVICES.map((name) => (
                    <option key={name} value={name}>
                        {t(`device.${name}`)}
                    </option>
                ))}
            </Select>
        </div>
    );
}
