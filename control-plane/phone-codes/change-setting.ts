/** What phones set by codes: the night switch, and agents. */
import { agentSetter, type AgentSettingParts } from './agent-setting.ts';
import type { SettingChanger } from '../runtime/controller.ts';
import { nightSwitchSetter, type NightSwitchParts } from './set-night-switch.ts';

export function settingChanger(parts: AgentSettingParts & NightSwitchParts): SettingChanger {
  const setNightSwitch = nightSwitchSetter(parts);
  const setAgent = agentSetter(parts);
  return (call, setting, note) => (setting.of === 'agent' ? setAgent(call, setting, note) : setNightSwitch(call, setting, note));
}
