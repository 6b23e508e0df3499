import test from 'ava';
import { cpuVulnerabilities, stateOf } from '../../../../src/agent/collectors/boot/cpu-vulnerabilities.ts';
import { isFields } from '../../../../src/core/value.ts';
import { tell, tellOf } from '../fact.ts';
import { thisHost } from '../host-in-folder.ts';

/** As kernels 4.15 to 6.18 print them. */
const LINES: Record<ReturnType<typeof stateOf>, string[]> = {
  'not affected': ['Not affected\n'],
  vulnerable: [
    'Vulnerable',
    'Vulnerable: Safe RET, no microcode',
    'Vulnerable: Clear CPU buffers attempted, no microcode; SMT Host state unknown',
    'Vulnerable: __user pointer sanitization and usercopy barriers only; no swapgs barriers',
    'KVM: Vulnerable',
    'Mitigation: Retpolines; IBPB: conditional; STIBP: disabled; RSB filling; PBRSB-eIBRS: Not affected; BHI: Vulnerable',
    'Mitigation: Enhanced / Automatic IBRS; IBPB: conditional; RSB filling; PBRSB-eIBRS: SW sequence; BHI: Vulnerable, KVM: SW loop',
    'Mitigation: PTE Inversion; VMX: vulnerable, SMT vulnerable',
  ],
  mitigated: [
    'Mitigation: PTI',
    'Mitigation: Full generic retpoline, IBPB: conditional, IBRS_FW, STIBP: conditional, RSB filling',
    'Mitigation: Clear CPU buffers; SMT vulnerable',
    'Mitigation: PTE Inversion; VMX: conditional cache flushes, SMT vulnerable',
    'Mitigation: Retpolines; STIBP: disabled; RSB filling; PBRSB-eIBRS: Not affected; BHI: Not affected',
    'KVM: Mitigation: VMX disabled',
    'Processor vulnerable',
  ],
  unclear: ['Unknown: No mitigations', 'Unknown (XEN PV detected, hypervisor mitigation required)', '', '\0\uFFFD'],
};

for (const [state, lines] of Object.entries(LINES)) {
  for (const line of lines)
    test(`${JSON.stringify(line)} is ${state}`, (t) => t.true(stateOf(line) === state, stateOf(line)));
}

test('holes are listed by what is done about them, sorted, without those that the processor does not have', async (t) => {
  const folder = '/sys/devices/system/cpu/vulnerabilities';
  const { value } = await tellOf(t, cpuVulnerabilities, {
    [`${folder}/spectre_v2`]: 'Vulnerable\n',
    [`${folder}/mds`]: 'Vulnerable: No microcode\n',
    [`${folder}/meltdown`]: 'Not affected\n',
    [`${folder}/l1tf`]: 'Mitigation: PTE Inversion\n',
    [`${folder}/mmio_stale_data`]: 'Unknown: No mitigations\n',
  });
  t.deepEqual(value, { mitigated: ['l1tf'], unclear: ['mmio_stale_data'], vulnerable: ['mds', 'spectre_v2'] });
});

test('a kernel that does not tell is unknown', async (t) => {
  t.is((await tellOf(t, cpuVulnerabilities, {})).value, 'unknown');
});

test("this machine: each of its kernel's lines is made out", async (t) => {
  const { value } = await tell(cpuVulnerabilities, thisHost(t));
  t.true(isFields(value) && Array.isArray(value['unclear']) && value['unclear'].length === 0, JSON.stringify(value));
});
