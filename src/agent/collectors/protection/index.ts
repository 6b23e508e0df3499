import { group } from '../group.ts';
import { antivirus } from './antivirus.ts';
import { auditLog } from './audit-log.ts';
import { certificates } from './certificates.ts';
import { mac } from './mac.ts';
import { timeSync } from './time-sync.ts';
import { usb } from './usb.ts';

export const protection = group('protection', 'what watches over the machine', [
  antivirus,
  auditLog,
  certificates,
  mac,
  timeSync,
  usb,
]);
