console.log('penguindome-agent');
